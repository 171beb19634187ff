import Ajv from 'ajv'
import addFormats from 'ajv-formats'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { BotMessage } from '../../sandbox/bot/bot'
import type { IntegrationResponse } from '../../sandbox/cloud/function-host/integration-call'
import { type Sandbox, startSandbox } from '../../sandbox/sandbox'
import { messageBody, send } from '../harness/backend'

let heard: BotMessage[]
let sandbox: Sandbox

beforeAll(async () => {
  sandbox = await startSandbox({
    bot: ({ type, payload }) => {
      heard.push({ type, payload })
      return []
    },
  })
  return sandbox.close
})

const isWellFormed = (value: string): boolean => !/\p{Surrogate}|\ufffd/u.test(value)

/** Text of any unicode, lone surrogates included. */
const text = (constraints: fc.StringConstraints = {}) =>
  fc.string({
    ...constraints,
    unit: fc.oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
      fc.constantFrom('\ud83d', '\udc68', '\0', '"', '\\', '\u2028')
    ),
  })

/** Keys that JavaScript, or the integration, has uses of its own for among others. */
const key = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', 'prototype', 'toString', 'toJSON', 'then', 'text', ''),
  text({ maxLength: 8 })
)

const { value: jsonValue, object: jsonObject } = fc.letrec<{ value: unknown; object: object }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    text(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(null, true, false, 0, ''),
    fc.array(tie('value'), { maxLength: 4 }),
    tie('object')
  ),
  object: fc.dictionary(key, tie('value'), { maxKeys: 5 }),
}))

const id = text({ minLength: 1, maxLength: 50 }).filter(isWellFormed)

const count = () =>
  [sandbox.chat.conversations, sandbox.chat.users, sandbox.chat.messages].map((kind) => kind.all().length)

/** Whether it is one of the table's, in its form. Nothing else may ever come. */
const expectOfTheTable = ({ status, headers = {}, body = '' }: IntegrationResponse) => {
  expect([200, 400, 401, 402, 403, 404, 405, 413, 429, 502, 504]).toContain(status)
  const answer = JSON.parse(body)
  if (status === 200) {
    expect(Object.keys(answer).toSorted()).toEqual(['conversation', 'message', 'user'])
    return
  }
  expect(headers['content-type']).toBe('application/problem+json')
  expect(answer).toMatchObject({ status, title: expect.any(String), detail: expect.any(String) })
  for (const error of answer.errors ?? []) {
    expect(error).toEqual({ path: expect.any(String), message: expect.any(String) })
  }
}

describe('any request', () => {
  const request = fc.record({
    method: fc.oneof(fc.constantFrom('POST', 'post', 'GET', 'OPTIONS', 'constructor', '__proto__'), text()),
    path: fc.oneof(fc.constantFrom('', '/', '/messages', '__proto__', '/..'), text(), fc.webPath()),
    query: fc.oneof(text(), fc.webQueryParameters()),
    headers: fc.dictionary(
      fc.oneof(fc.constantFrom('authorization', 'content-type', 'prefer', '__proto__', 'x-bot-id'), text()),
      fc.oneof(fc.constantFrom('Bearer bp_pat_sandbox', 'Bearer', 'Bearer bp_pat_other', 'Bearer \ud83d'), text())
    ),
    body: fc.option(
      fc.oneof(
        text(),
        fc.json(),
        jsonValue.map((value) => JSON.stringify(value))
      ),
      { nil: undefined }
    ),
  })

  it('is answered with a status of the table, with a problem for each error, and writes nothing where it is refused', async () => {
    heard = []
    await fc.assert(
      fc.asyncProperty(request, async (req) => {
        const before = count()
        const response = await sandbox.receive(req)
        expectOfTheTable(response)
        if (response.status !== 200) expect(count()).toEqual(before)
      }),
      { numRuns: 200 }
    )
  })
})

describe('any body', () => {
  const anything = fc.oneof(text(), jsonValue)
  const body = fc.record(
    {
      userId: fc.oneof(id, anything),
      messageId: fc.oneof(id, anything),
      conversationId: fc.oneof(id, anything),
      type: fc.oneof(fc.constant('text'), id, anything),
      text: fc.oneof(id, anything),
      payload: fc.oneof(jsonObject, anything),
      user: fc.oneof(
        fc.record({ name: anything, pictureUrl: fc.oneof(fc.webUrl(), anything) }, { requiredKeys: [] }),
        anything
      ),
    },
    { requiredKeys: [] }
  )

  const isText = (value: unknown, limit = Infinity) =>
    typeof value === 'string' && value.length >= 1 && value.length <= limit

  const ajv = new Ajv()
  addFormats(ajv)
  const isUri = ajv.compile({ type: 'string', format: 'uri', maxLength: 40_000 })

  const isEmpty = (value: unknown) => value === undefined || value === null || value === ''

  const isValidUser = (user: unknown) => {
    if (typeof user !== 'object' || user === null || Array.isArray(user)) return true
    const fields = new Map<string, unknown>(Object.entries(user))
    const [name, pictureUrl] = [fields.get('name'), fields.get('pictureUrl')]
    if (!isEmpty(name) && !(typeof name === 'string' && name.length <= 200)) return false
    return isEmpty(pictureUrl) || isUri(pictureUrl)
  }

  /** The documented rules of the fields, in other words than the integration's. */
  const isValid = ({
    userId,
    messageId,
    conversationId,
    type,
    text: words,
    payload,
    user,
  }: Record<string, unknown>) => {
    if (!isValidUser(user)) return false
    const isId = (value: unknown) => isText(value, 500) && isWellFormed(String(value))
    if (![userId, messageId, conversationId].every(isId)) return false
    if (!isText(type, 200)) return false
    if (isEmpty(payload) || JSON.stringify(payload) === '[]') return isText(words)
    if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return false
    const mayLackText = type !== 'text' && Object.keys(payload).length > 0
    if (!isText(words) && !(mayLackText && isEmpty(words))) return false
    const own = Object.entries(payload).find(([name]) => name === 'text')?.[1] ?? ''
    return type !== 'text' || typeof own === 'string'
  }

  it('is taken where it is as documented, and is a fault that writes nothing where it is not', async () => {
    heard = []
    await fc.assert(
      fc.asyncProperty(body, async (fields) => {
        const before = count()
        const response = await sandbox.receive({
          method: 'POST',
          path: '/',
          query: '',
          headers: { authorization: `Bearer ${sandbox.token}` },
          body: JSON.stringify(fields),
        })
        expectOfTheTable(response)
        expect(response.status).toBe(isValid(fields) ? 200 : 400)
        if (response.status === 400) {
          expect(count()).toEqual(before)
          expect(JSON.parse(response.body!).errors).not.toEqual([])
        }
      }),
      { numRuns: 200 }
    )
  })
})

describe('any message', () => {
  let number = 0
  const message = fc.record(
    {
      userId: id,
      conversationId: id,
      // No two are the same message.
      messageId: id.map((words) => `${number++} ${words}`),
      type: fc.oneof(
        fc.constant('order'),
        text({ minLength: 1, maxLength: 20 }).filter((type) => type !== 'text')
      ),
      text: text({ minLength: 1 }),
      payload: jsonObject,
    },
    { requiredKeys: ['userId', 'conversationId', 'messageId', 'type', 'text'] }
  )

  it('reaches the bot with the ids and the payload that were sent', async () => {
    await fc.assert(
      fc.asyncProperty(message, async (body) => {
        heard = []
        const answer = await send(sandbox, body)
        await sandbox.settled()
        expect(answer.status).toBe(200)
        const { user, conversation, message: created } = answer.body
        expect([user.tags.id, conversation.tags.id, created.tags.id]).toEqual([
          body.userId,
          body.conversationId,
          body.messageId,
        ])
        const payload = JSON.parse(JSON.stringify(body.payload ?? {}))
        if (payload.text === undefined || payload.text === null || payload.text === '') payload.text = body.text
        expect(heard.map(({ type }) => type)).toEqual([body.type])
        expect(JSON.stringify(heard[0]!.payload)).toBe(JSON.stringify(payload))
        // The answer is well-formed, with U+FFFD in place of half a character.
        const wellFormed = JSON.stringify(payload).replaceAll(/\\(?:ud[89a-f]..|.)/g, (escape) =>
          escape.startsWith('\\ud') ? '\ufffd' : escape
        )
        expect(created.payload).toEqual(JSON.parse(wellFormed))
      }),
      { numRuns: 200 }
    )
  })

  it('of 128 KB, the most that a message may have, reaches the bot', async () => {
    heard = []
    const words = 'é語👩'.repeat((128 * 1024 - Buffer.byteLength('{"text":""}')) / 9)
    const answer = await send(sandbox, messageBody({ text: words }))
    await sandbox.settled()
    expect(answer.status).toBe(200)
    expect(heard[0]!.payload.text === words).toBe(true)
  })

  it.each([
    [1000, 200],
    [1001, 400],
    [200_000, 400],
  ])('with a payload %i levels deep: %i', async (depth, status) => {
    heard = []
    const before = count()
    const payload = `${'{"a":['.repeat(depth / 2)}${depth % 2 ? '{}' : ''}${']}'.repeat(depth / 2)}`
    const answer = await send(sandbox, JSON.stringify(messageBody({ payload: 0 })).replace(':0', `:${payload}`))
    await sandbox.settled()
    expect(answer.status).toBe(status)
    if (status === 200) expect(JSON.stringify(heard[0]!.payload)).toBe(payload.replace(/\}$/, ',"text":"Hello"}'))
    else expect(count()).toEqual(before)
  })
})
