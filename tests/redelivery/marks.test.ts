import { describe, expect, it } from 'vitest'
import { send } from '../harness/backend'
import { beginAnewForEachTest, marks, MINUTE, missed, outage, redeliver, say, start, texts } from './outage'

beginAnewForEachTest()

describe('the record', () => {
  it('a message whose first try has failed is marked before the pause, and unmarked when it is delivered', async () => {
    let tries = 0
    outage.statusOf = () => (++tries <= 2 ? 503 : 204)
    expect((await say('Hi')).status).toBe(200)
    expect(outage.events.slice(0, 5)).toEqual(['try Hi', 'mark "failed"', 'try Hi', 'try Hi', 'mark ""'])
    expect(marks()).toEqual({ Hi: undefined })
  })

  it('a message that is delivered at the first try costs no call', async () => {
    await say('first')
    outage.events = []
    await say('second')
    expect(outage.events).toEqual(['try second'])
  })

  it.each([302, 400, 401, 404, 410])('whatever the failure was: %i', async (status) => {
    outage.statusOf = () => status
    expect((await say('Hi')).status).toBe(400)
    expect(outage.events).toEqual(['try Hi', 'mark "failed"'])
    expect(marks()).toEqual({ Hi: 'failed' })
  })

  it('whatever the failure was: nobody listens, four times', async () => {
    await outage.endpoint.close()
    expect((await say('Hi')).status).toBe(400)
    expect(outage.events).toEqual(['mark "failed"'])
    expect(marks()).toEqual({ Hi: 'failed' })
  })

  it('whatever the failure was: the configuration is malformed', async () => {
    outage.sandbox.configure({ endpoint: outage.endpoint.url, signingSecret: 'secret' })
    expect((await say('Hi')).status).toBe(400)
    expect(marks()).toEqual({ Hi: 'failed' })
  })

  it('not where the conversation has no external id: it can never be delivered', async () => {
    const { conversation } = outage.sandbox.chat.operations.createConversation({ channel: 'channel', tags: {} })
    expect((await outage.sandbox.say(conversation.id, { type: 'text', payload: { text: 'Hi' } })).status).toBe(400)
    expect(outage.events).toEqual([])
  })

  it('a message that a request delivers in a pause between two tries is not tried again', async () => {
    const own = await start({ maxInstances: 2 })
    let tries = 0
    // Time enough for another instance, on a busy machine too.
    outage.retryAfter = 8
    outage.statusOf = () => (++tries === 1 ? 503 : 204)
    const saying = say('a', own)
    await expect.poll(() => marks(own)['a']).toBe('failed')
    expect((await send(own, undefined, { path: '/redeliveries' })).body).toMatchObject({ delivered: 1 })
    expect((await saying).status).toBe(200)
    expect(texts()).toEqual(['a', 'a'])
    expect(marks(own)).toEqual({ a: undefined })
  })

  it('is no longer asked before a further try where Botpress does not tell', async () => {
    let tries = 0
    outage.statusOf = () => (++tries === 1 ? 503 : 204)
    outage.faultOf = ({ operation }) => (operation === 'getMessage' ? { delayMs: 5000 } : undefined)
    expect((await say('a')).status).toBe(200)
    expect(texts()).toEqual(['a', 'a'])
  })

  it('an instance that ends between two tries has left the mark', async () => {
    outage.statusOf = () => 503
    const saying = say('Hi')
    await expect.poll(() => marks()['Hi']).toBe('failed')
    await outage.sandbox.endInstance()
    await saying
    outage.statusOf = () => 204
    expect((await redeliver()).body).toEqual({ delivered: 1, undelivered: 0, more: false })
    expect(marks()).toEqual({ Hi: undefined })
  })

  it('is written also by an instance that was frozen while it wrote it, and Botpress fails after that', async () => {
    outage.statusOf = () => 410
    let writes = 0
    outage.faultOf = ({ operation }) => {
      if (operation !== 'updateMessage' || ++writes > 2) return undefined
      if (writes === 1) outage.sandbox.elapse(MINUTE)
      return { answer: { status: 500 } }
    }
    expect((await say('Hi')).status).toBe(400)
    expect(marks()).toEqual({ Hi: 'failed' })
    expect(writes).toBe(3)
  })

  it('is written also by an instance that was frozen in the try', async () => {
    outage.statusOf = () => {
      outage.sandbox.elapse(MINUTE)
      return 400
    }
    await say('Hi')
    expect(marks()).toEqual({ Hi: 'failed' })
  })

  it.each([
    ['failed', 204, undefined],
    ['unknown', 204, undefined],
    ['unknown', 400, 'unknown'],
  ])('of a message that Botpress hands over again: %s, then %i', async (before, status, after) => {
    const { id } = missed('Hi', { delivery: before })
    outage.statusOf = () => status
    await outage.sandbox.redeliver(id)
    expect(marks()).toEqual({ Hi: after })
    expect(texts()).toEqual(['Hi'])
  })

  it.each([
    ['delivered', '', undefined],
    ['perhaps delivered', 'unknown', 'unknown'],
  ] as const)('ends the tries of its own call if a redelivery has %s it meanwhile', async (_what, delivery, after) => {
    outage.faultOf = ({ operation, input }) => {
      if (operation !== 'getMessage') return undefined
      outage.sandbox.chat.operations.updateMessage({ id: String(input['id']), tags: { delivery } })
      return undefined
    }
    outage.statusOf = () => 503
    expect((await say('Hi')).status).toBe(200)
    expect(texts()).toEqual(['Hi'])
    expect(marks()).toEqual({ Hi: after })
  })

  it('is written again where Botpress fails too', async () => {
    let left = 2
    outage.faultOf = ({ operation }) =>
      operation === 'updateMessage' && left-- > 0 ? { answer: { status: 503 } } : undefined
    outage.statusOf = () => 400
    await say('Hi')
    expect(marks()).toEqual({ Hi: 'failed' })
  })

  it('that cannot be written is told by the log', async () => {
    const body = { id: 'err_1', code: 403, type: 'Forbidden', message: 'The reason' }
    outage.faultOf = ({ operation }) => (operation === 'updateMessage' ? { answer: { status: 403, body } } : undefined)
    outage.statusOf = () => 400
    await say('Hi')
    await expect
      .poll(() => outage.logged.join('\n'))
      .toMatch(/The message msg_\w+ could not be marked as failed: The reason\./)
    expect(outage.logged.join('\n')).toContain('It is not delivered later, because Botpress did not take the mark.')
    let tries = 0
    outage.statusOf = () => (++tries === 1 ? 503 : 204)
    expect((await say('Ho')).status).toBe(200)
    await expect
      .poll(() => outage.logged.join('\n'))
      .toMatch(/The message msg_\w+ could not be marked as delivered: The reason\./)
  })
})

describe('botpress-created-at', () => {
  it('tells when the bot made the message, the same in each try and in a redelivery', async () => {
    let tries = 0
    outage.statusOf = () => (++tries === 1 ? 503 : tries === 2 ? 400 : 204)
    await say('Hi')
    await redeliver()
    const { createdAt } = outage.sandbox.chat.messages.all()[0]!
    expect(createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    expect(outage.endpoint.messages().map(({ headers }) => headers['botpress-created-at'])).toEqual(
      Array(3).fill(createdAt)
    )
  })

  it('the test message has none', () => {
    expect(outage.endpoint.tests()[0]!.headers).not.toHaveProperty('botpress-created-at')
  })
})
