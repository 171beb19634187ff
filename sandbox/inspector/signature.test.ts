import { Webhook } from 'standardwebhooks'
import { expect, it } from 'vitest'
import { exchange } from './browser/model/trace-for-test'
import { verifySignature } from './signature'

const secretOf = (byte: number) => `whsec_${Buffer.alloc(32, byte).toString('base64')}`
const [SECRET, OTHER] = [secretOf(1), secretOf(2)]

const delivery = (body: string) => {
  const now = new Date()
  const requestHeaders = {
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
    'webhook-signature': new Webhook(SECRET).sign('msg_1', now, body),
  }
  return exchange({ to: 'endpoint', requestHeaders, requestBody: body })
}

it.each([
  ['with the right secret', SECRET, '{}', true],
  ['with one of two', `${OTHER}\n${SECRET}`, '{}', true],
  ['with another secret', OTHER, '{}', false],
  ['with no secret', '', '{}', false],
  ['with another body', SECRET, '{ }', false],
])('a signature is verified %s', (_how, secrets, body, isVerified) => {
  expect(verifySignature({ ...delivery('{}'), requestBody: body }, secrets)?.isVerified).toBe(isVerified)
})

it('what was signed is told, and nothing where there is no signature', () => {
  const signed = delivery('{}')
  const timestamp = String(signed.requestHeaders['webhook-timestamp'])
  expect(verifySignature(signed, SECRET)?.signed).toBe(`msg_1.${timestamp}.{body}`)
  expect(verifySignature(exchange({ to: 'endpoint' }), SECRET)).toBeUndefined()
})
