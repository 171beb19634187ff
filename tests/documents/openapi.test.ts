import { createConfig, lint } from '@redocly/openapi-core'
import { Validator } from '@seriousme/openapi-schema-validator'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import document from '../../openapi.json'
import { EXAMPLES, PROBLEM_EXAMPLES } from '../../openapi/examples'
import { openApiJson } from '../../openapi/document'
import { mustBeDocumented, mustBeDocumentedDelivery } from '../harness/documented'

const test = { 'webhook-id': 'x', 'webhook-timestamp': '1', 'user-agent': 'x' }

const delivery = { ...test, 'botpress-created-at': 'x' }

const received = {
  method: 'POST',
  path: '/',
  body: EXAMPLES.request,
  status: 200,
  contentType: 'application/json',
  answer: EXAMPLES.received,
}

describe('openapi.json', () => {
  it('is what would be generated from the code: else, npm run build:openapi', () => {
    expect(readFileSync('openapi.json', 'utf8')).toBe(openApiJson)
  })

  it('is a valid OpenAPI 3.1 document', async () => {
    const validator = new Validator()
    const { valid, errors } = await validator.validate(structuredClone(document))
    expect(errors).toBeUndefined()
    expect(valid).toBe(true)
    expect(validator.version).toBe('3.1')
  })

  it('has nothing that redocly’s recommended rules warn of', async () => {
    const config = await createConfig({ extends: ['recommended'] })
    const problems = await lint({ ref: 'openapi.json', config })
    expect(problems.map(({ message, location }) => [message, location[0]?.pointer])).toEqual([])
  })

  it('has an example for each body, header and parameter, so that mocks and imports show sense', () => {
    const lacking: string[] = []
    const look = (node: unknown, path: string): void => {
      if (typeof node !== 'object' || node === null || path.startsWith('/components')) return
      const isParameter = 'in' in node && 'schema' in node
      const isMedia = /\/content\/[^/]+~1[^/]+$/.test(path)
      const isHeader = /\/headers\/[^/]+$/.test(path)
      if ((isParameter || isMedia || isHeader) && !('example' in node)) lacking.push(path)
      for (const [key, child] of Object.entries(node)) {
        if (key !== 'example' && key !== 'schema') look(child, `${path}/${key.replaceAll('/', '~1')}`)
      }
    }
    look(document, '')
    expect(lacking).toEqual([])
  })

  it('has problems as examples that the integration could answer', () => {
    for (const [status, example] of Object.entries(PROBLEM_EXAMPLES)) {
      const code = Number.parseInt(status, 10)
      const answer = { title: 'x', status: code, ...example }
      const asked = code === 409 ? { ...received, path: '/redeliveries', body: EXAMPLES.redelivery } : received
      expect(() =>
        mustBeDocumented({ ...asked, status: code, contentType: 'application/problem+json', answer })
      ).not.toThrow()
    }
  })

  it('has examples that are as it says', () => {
    expect(() => {
      mustBeDocumented(received)
      mustBeDocumented({ ...received, method: 'GET', path: '/messages', body: undefined, answer: EXAMPLES.messages })
      const [redelivery, redelivered] = [EXAMPLES.redelivery, EXAMPLES.redelivered]
      mustBeDocumented({ ...received, path: '/redeliveries', body: redelivery, answer: redelivered })
      mustBeDocumented({ ...received, path: '/pull', body: EXAMPLES.pull, answer: EXAMPLES.pulled })
      mustBeDocumented({ ...received, path: '/events', body: EXAMPLES.event, answer: EXAMPLES.told })
      mustBeDocumentedDelivery(delivery, EXAMPLES.outgoing)
      mustBeDocumentedDelivery(test, EXAMPLES.registrationTest, 'registrationTest')
    }).not.toThrow()
  })

  it('is what the end-to-end tests are checked against: what is not as it says throws', () => {
    const { message, ...rest } = EXAMPLES.received
    expect(() => mustBeDocumented({ ...received, answer: rest })).toThrow(/message/)
    expect(() => mustBeDocumented({ ...received, answer: { ...EXAMPLES.received, extra: message } })).toThrow(
      /additional/
    )
    expect(() => mustBeDocumented({ ...received, body: { ...EXAMPLES.request, userId: '' } })).toThrow(/userId/)
    expect(() => mustBeDocumented({ ...received, status: 201 })).toThrow(/nothing at/)
    expect(() => mustBeDocumented({ ...received, method: 'PUT' })).toThrow(/no such operation/)
    expect(() => mustBeDocumentedDelivery(delivery, { ...EXAMPLES.outgoing, conversationId: 5 })).toThrow(
      /conversationId/
    )
    expect(() => mustBeDocumentedDelivery({}, EXAMPLES.outgoing)).toThrow(/webhook-id/)
  })
})
