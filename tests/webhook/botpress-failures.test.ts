import { beforeAll, describe, expect, it } from 'vitest'
import type { ChatOperation } from '../../sandbox/cloud/chat/chat'
import type { Fault } from '../../sandbox/cloud/chat/chat-api'
import { type Sandbox, startSandbox } from '../../sandbox/sandbox'
import { messageBody, send } from '../harness/backend'

const apiError = (status: number, type: string, headers: Record<string, string> = {}): Fault => ({
  answer: { status, headers, body: { id: 'err_1', code: status, type, message: 'The reason' } },
})

const page = (status: number, headers: Record<string, string> = {}): Fault => ({
  answer: { status, headers: { ...headers, 'content-type': 'text/html' }, body: `<h1>${status}</h1>` },
})

type Plan = { operation: ChatOperation; fault: Fault; left: number; calls: number }

/** What is to go wrong, by the external id of a conversation, a user or a message: the tests share the sandbox. */
const plans = new Map<unknown, Plan>()

let sandbox: Sandbox
let cutOffSandbox: Sandbox

beforeAll(async () => {
  sandbox = await startSandbox({
    // Some for the tests that wait until the integration gives up, and some for the others.
    maxInstances: 24,
    onApiCall: ({ operation, input }) => {
      // A message's or an event's.
      const { id, conversationId = id } = (input.tags ?? input.payload ?? {}) as Record<string, string>
      const plan = plans.get(id) ?? plans.get(conversationId)
      if (plan?.operation !== operation) return undefined
      plan.calls++
      return plan.left-- > 0 ? plan.fault : undefined
    },
  })
  cutOffSandbox = await startSandbox({ env: () => ({ BP_API_URL: 'http://127.0.0.1:9' }) })
  return async () => {
    await sandbox.close()
    await cutOffSandbox.close()
  }
})

/** A message whose first `times` calls of an operation fail. */
const messageThatFails = (fault: Fault, operation: ChatOperation = 'getOrCreateMessage', times = Infinity) => {
  const body = messageBody()
  const plan: Plan = { operation, fault, left: times, calls: 0 }
  for (const id of [body.conversationId, body.userId, body.messageId]) plans.set(id, plan)
  return { body, plan }
}

const messagesOf = ({ messageId }: Record<string, unknown>) =>
  sandbox.chat.messages.all().filter(({ tags }) => tags.id === messageId)

// Some take as long as the integration's patience, 20 s: side by side.
describe.concurrent('when Botpress fails', () => {
  describe('a passing failure of Botpress is tried again: the message gets through, once', () => {
    const passing: [string, Fault][] = [
      ['429', apiError(429, 'RateLimited')],
      ['429 with a Retry-After', apiError(429, 'RateLimited', { 'retry-after': '1' })],
      ['429 that tells its RateLimit-Reset', apiError(429, 'RateLimited', { 'ratelimit-reset': '1' })],
      ['409, a lock', apiError(409, 'ResourceLockedConflict')],
      ['500', apiError(500, 'Internal')],
      ['200 with a page', page(200)],
      ['204 with nothing', { answer: { status: 204 } }],
      ['502 with a page', page(502)],
      ['503 with a page', page(503)],
      ['504 with nothing', { answer: { status: 504 } }],
      ['a connection reset before the write', { reset: 'before write' }],
      ['a connection reset after the write', { reset: 'after write' }],
      ['a timeout', { delayMs: 60_000 }],
    ]
    const operations = ['getOrCreateConversation', 'getOrCreateUser', 'getOrCreateMessage'] as const
    const cases = passing.flatMap(([what, fault]) => operations.map((operation) => ({ what, operation, fault })))

    for (const { what, operation, fault } of cases) {
      it(`${what}, on ${operation}`, async () => {
        const { body, plan } = messageThatFails(fault, operation, 1)
        const answer = await send(sandbox, body)
        expect(answer.status).toBe(200)
        expect(plan.calls).toBeGreaterThanOrEqual(2)
        expect(messagesOf(body)).toEqual([answer.body.message])
      })
    }
  })

  describe('a failure of Botpress that lasts is answered, and it is safe to send again with the same messageId', () => {
    const lasting: [string, number, Fault, string][] = [
      ['429', 429, apiError(429, 'RateLimited'), 'The reason'],
      ['a reset', 502, { reset: 'before write' }, 'same messageId'],
      ['a reset after the write', 502, { reset: 'after write' }, 'same messageId'],
      ['a call that hangs', 504, { delayMs: 60_000 }, 'same messageId'],
      ['503 that asks for patience beyond ours', 502, page(503, { 'retry-after': '60' }), 'same messageId'],
      ['500 that asks for patience beyond ours', 502, apiError(500, 'Internal', { 'retry-after': '60' }), 'The reason'],
      ['504 that asks for patience beyond ours', 504, page(504, { 'retry-after': '60' }), 'same messageId'],
      ['409', 502, apiError(409, 'ResourceLockedConflict'), 'same messageId'],
      [
        '404',
        502,
        apiError(404, 'ResourceNotFound'),
        'Botpress answered 404: The reason. The same request would fail in the same way',
      ],
      [
        '405',
        502,
        apiError(405, 'MethodNotFound'),
        'Botpress answered 405: The reason. The same request would fail in the same way',
      ],
      [
        '415',
        502,
        apiError(415, 'UnsupportedMediaType'),
        'Botpress answered 415: The reason. The same request would fail in the same way',
      ],
    ]
    for (const [what, status, fault, detail] of lasting) {
      it(`${what}: ${status}`, async () => {
        const { body, plan } = messageThatFails(fault)
        const refused = await send(sandbox, body)
        expect(refused.status).toBe(status)
        expect(refused.headers.get('content-type')).toMatch('application/problem+json')
        expect(refused.body).toMatchObject({ status, detail: expect.stringContaining(detail) })

        plan.left = 0
        const answer = await send(sandbox, body)
        expect(answer.status).toBe(200)
        expect(messagesOf(body)).toEqual([answer.body.message])
      })
    }

    it('Retry-After is passed on, also from an answer that is not in Botpress’s own form', async () => {
      const answer = await send(sandbox, messageThatFails(page(429, { 'retry-after': '60' })).body)
      expect(answer.status).toBe(429)
      expect(answer.headers.get('retry-after')).toBe('60')
    })

    const limits: [Record<string, string>, string][] = [
      [{ 'retry-after': '59.5' }, '60'],
      [{ 'ratelimit-reset': '59.5', 'retry-after': '100' }, '60'],
      [{ 'x-ratelimit-reset': '60' }, '60'],
    ]
    for (const [headers, retryAfter] of limits) {
      it(`the end of a rate limit is passed on as Retry-After: ${JSON.stringify(headers)}`, async () => {
        const answer = await send(sandbox, messageThatFails(apiError(429, 'RateLimited', headers)).body)
        expect(answer.status).toBe(429)
        expect(answer.headers.get('retry-after')).toBe(retryAfter)
      })
    }

    it('what is given up is given up: nothing is asked of Botpress after the answer', async () => {
      // The third look-up would succeed, seven seconds after the answer, and the message follow it.
      const fault: Fault = {
        delayMs: 9000,
        get answer() {
          return plan.calls < 3 ? { status: 503 } : undefined
        },
      }
      const { body, plan } = messageThatFails(fault, 'getOrCreateConversation')
      const answer = await send(sandbox, body)
      expect(answer.status).toBe(504)
      expect(plan.calls).toBe(3)
      await new Promise((resolve) => setTimeout(resolve, 9000))
      expect(plan.calls).toBe(3)
      expect(messagesOf(body)).toEqual([])
    })

    it('502 where Botpress cannot be reached, with the cause', async () => {
      const answer = await send(cutOffSandbox, messageBody())
      expect(answer.status).toBe(502)
      expect(answer.body.detail).toContain('ECONNREFUSED')
    })

    it('so is an event: it surely was not taken, and it is safe to send again', async () => {
      const event = { conversationId: 'cut off', type: 'order_paid' }
      const { status, body } = await send(cutOffSandbox, event, { path: '/events' })
      expect([status, body.detail]).toEqual([502, expect.stringMatching(/ECONNREFUSED.*It is safe to send/)])
    })

    it('an event that is not answered in time may have been taken, and is not tried again', async () => {
      const { body, plan } = messageThatFails({ delayMs: 60_000 }, 'createEvent')
      const event = { conversationId: body.conversationId, type: 'order_paid' }
      const { status, body: answer } = await send(sandbox, event, { path: '/events' })
      expect([status, plan.calls]).toEqual([502, 1])
      expect(answer.detail).toContain('may have taken the event')
    })

    it('what Botpress has refused is not asked again', async () => {
      for (const [status, type] of [
        [400, 'InvalidPayload'],
        [401, 'Unauthorized'],
        [402, 'PaymentRequired'],
        [403, 'Forbidden'],
        [413, 'PayloadTooLarge'],
      ] as const) {
        const { body, plan } = messageThatFails(apiError(status, type))
        expect((await send(sandbox, body)).status).toBe(status)
        expect(plan.calls).toBe(1)
      }
    })
  })
})
