import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Fault } from '../../sandbox/cloud/chat/chat-api'
import { type Sandbox, startSandbox } from '../../sandbox/sandbox'
import { type Answer, messageBody, send } from '../harness/backend'
import { endpointForTest, installationForTest } from '../harness/for-test'
import { watchApiCalls } from '../harness/api-calls'

const api = watchApiCalls()
let sandbox: Sandbox

beforeAll(async () => {
  sandbox = await startSandbox({
    onApiCall: api.onApiCall,
  })
  return sandbox.close
})

const sendAndWait = (body: Record<string, unknown>, prefer = 'wait=10'): Promise<Answer> =>
  send(sandbox, body, { headers: { prefer } })

const textsOf = ({ body }: Answer): string[] =>
  body.replies.map(({ payload }: { payload: { text: string } }) => payload.text)

const looks = () => api.calls.filter(({ operation }) => operation === 'listMessages')

const failLooks = (fault: Fault, times = Infinity) => {
  let left = times
  api.faultOf = ({ operation }) => (operation === 'listMessages' && left-- > 0 ? fault : undefined)
}

describe('Prefer: wait=N', () => {
  it('answers with the bot’s replies, each with the six fields, and Preference-Applied', async () => {
    const body = messageBody({ text: 'Hi' })
    const answer = await sendAndWait(body)
    const reply = sandbox.chat.messages.get(answer.body.replies[0].botpressMessageId)

    expect(answer.status).toBe(200)
    expect(answer.headers.get('preference-applied')).toBe('wait=10')
    expect(Object.keys(answer.body).toSorted()).toEqual(['conversation', 'message', 'replies', 'user'])
    expect(answer.body.replies).toEqual([
      {
        type: 'text',
        payload: { text: 'You said: Hi' },
        conversationId: body.conversationId,
        botpressUserId: reply.userId,
        botpressMessageId: reply.id,
        botpressConversationId: answer.body.conversation.id,
      },
    ])
  })

  it.each([
    ['WAIT = "10"', 'wait=10'],
    ['respond-async, wait=10; x=y', 'wait=10'],
    ['wait=60', 'wait=25'],
  ])('reads %s as RFC 7240 has it, and at most 25', async (prefer, applied) => {
    const answer = await sendAndWait(messageBody(), prefer)
    expect(answer.headers.get('preference-applied')).toBe(applied)
    expect(answer.body.replies).toHaveLength(1)
  })

  it.each(['wait', 'wait=', 'wait=-1', 'wait=soon', 'wait=1 2', 'respond-async', ''])(
    'ignores what is malformed or another preference: "%s"',
    async (prefer) => {
      const answer = await sendAndWait(messageBody(), prefer)
      expect(answer.status).toBe(200)
      expect(answer.body).not.toHaveProperty('replies')
      expect(answer.headers.get('preference-applied')).toBeNull()
      expect(looks()).toEqual([])
    }
  )

  it('answers with no replies where none came, when the time is up', async () => {
    const start = performance.now()
    const answer = await sendAndWait(messageBody({ text: 'silent' }), 'wait=2')
    expect(answer.status).toBe(200)
    expect(answer.body.replies).toEqual([])
    expect(performance.now() - start).toBeGreaterThan(1800)
  })

  it('waits not at all with wait=0', async () => {
    const answer = await sendAndWait(messageBody(), 'wait=0')
    expect(answer.body.replies).toEqual([])
    expect(answer.headers.get('preference-applied')).toBe('wait=0')
  })

  it('answers with all replies, oldest first, also when there are more than a page of them', async () => {
    const answer = await sendAndWait(messageBody({ text: 'burst 45' }))
    expect(textsOf(answer)).toEqual(Array.from({ length: 45 }, (_, index) => `${index + 1} of 45`))
  })

  it('waits for replies that follow within a second, and not for those after', async () => {
    const body = messageBody({ text: 'silent' })
    const waiting = sendAndWait(body)
    await expect.poll(() => looks().length).toBeGreaterThan(0)
    const { id } = sandbox.chat.conversations.findByTags({ id: String(body.conversationId) })!
    await sandbox.say(id, { type: 'text', payload: { text: 'one' } })
    await sleep(500)
    await sandbox.say(id, { type: 'text', payload: { text: 'two' } })
    const answer = await waiting
    await sandbox.say(id, { type: 'text', payload: { text: 'three' } })
    expect(textsOf(answer)).toEqual(['one', 'two'])
  })

  it('a repeat with the same messageId returns the replies to the first', async () => {
    const body = messageBody({ text: 'burst 3' })
    const first = await sendAndWait(body)
    const repeat = await sendAndWait(body)
    expect(repeat.body).toEqual(first.body)
    expect(textsOf(repeat)).toHaveLength(3)
  })

  it('replies are only those after the message that was sent', async () => {
    const body = messageBody({ text: 'burst 25' })
    await sendAndWait(body)
    const answer = await sendAndWait({ ...body, messageId: 'later', text: 'Hi' })
    expect(textsOf(answer)).toEqual(['You said: Hi'])
  })

  it('replies are the bot’s alone, also when another message comes in meanwhile, and two waits run in one conversation', async () => {
    const body = messageBody({ text: 'silent' })
    const first = sendAndWait(body)
    await expect.poll(() => looks().length).toBeGreaterThan(0)
    const second = sendAndWait({ ...body, messageId: 'meanwhile', text: 'burst 2' })
    const answers = await Promise.all([first, second])
    expect(answers.map(textsOf)).toEqual([
      ['1 of 2', '2 of 2'],
      ['1 of 2', '2 of 2'],
    ])
  })

  it('replies=M beside it: answers as soon as M are there, without the second of quiet, with what is there', async () => {
    const one = await sendAndWait(messageBody(), 'wait=20, replies=1')
    expect(one.headers.get('preference-applied')).toBe('wait=20, replies=1')
    expect(one.body.replies).toHaveLength(1)
    const body = messageBody({ text: 'burst 5' })
    const five = await sendAndWait(body, 'wait=20, replies=5')
    expect(textsOf(five)).toHaveLength(5)
    api.calls = []
    const repeat = await sendAndWait(body, 'wait=20, replies=2')
    expect(textsOf(repeat)).toEqual(textsOf(five))
    expect(looks()).toHaveLength(1)
  })

  it('before M are there, only the time ends the wait, however far apart the replies are', async () => {
    const body = messageBody({ text: 'silent' })
    const waiting = sendAndWait(body, 'wait=20, replies=3')
    await expect.poll(() => looks().length).toBeGreaterThan(0)
    const { id } = sandbox.chat.conversations.findByTags({ id: String(body.conversationId) })!
    for (const text of ['one', 'two', 'three']) {
      await sandbox.say(id, { type: 'text', payload: { text } })
      await sleep(2000)
    }
    expect(textsOf(await waiting)).toEqual(['one', 'two', 'three'])
    const fewer = await sendAndWait(messageBody({ text: 'Hi' }), 'wait=3, replies=2')
    expect(textsOf(fewer)).toEqual(['You said: Hi'])
  })

  it('without wait, replies means nothing', async () => {
    const answer = await sendAndWait(messageBody(), 'replies=1')
    expect(answer.body).not.toHaveProperty('replies')
    expect(answer.headers.get('preference-applied')).toBeNull()
  })

  it('a repeat of an old messageId in a conversation of thousands returns the replies since', async () => {
    const body = messageBody({ text: 'burst 2' })
    await send(sandbox, body)
    await sandbox.settled()
    const { id } = sandbox.chat.conversations.findByTags({ id: String(body.conversationId) })!
    const userId = sandbox.chat.users.findByTags({ id: String(body.userId) })!.id
    for (let count = 0; count < 3000; count++) {
      sandbox.chat.createBotMessage({ conversationId: id, userId, type: 'text', payload: { text: `${count}` } })
    }
    const answer = await sendAndWait(body, 'wait=25, replies=2')
    expect(answer.body.replies).toHaveLength(3002)
    expect(textsOf(answer).slice(0, 3)).toEqual(['1 of 2', '2 of 2', '0'])
  })

  it('stops with the answer: Botpress is not asked again after it', async () => {
    const body = messageBody({ text: 'burst 200' })
    await send(sandbox, body)
    await sandbox.settled()
    // A look takes ten pages, four seconds altogether.
    failLooks({ delayMs: 400 })
    api.calls = []
    await sendAndWait(body, 'wait=1')
    const count = looks().length
    expect(count).toBeLessThan(5)
    await sleep(1500)
    expect(looks()).toHaveLength(count)
  })

  it('the endpoint gets the messages all the same', async () => {
    const endpoint = await endpointForTest()
    const own = await installationForTest({ endpoint: endpoint.url })
    const answer = await send(own, messageBody(), { headers: { prefer: 'wait=10' } })
    await own.settled()
    expect(endpoint.messages().map((received) => received.body)).toEqual(answer.body.replies)
  })

  it('uses the caller’s token', async () => {
    await sendAndWait(messageBody())
    expect(new Set(looks().map(({ headers }) => headers.authorization))).toEqual(new Set([`Bearer ${sandbox.token}`]))
  })
})

describe('whatever the API does meanwhile', () => {
  it('the wait stops at its time', async () => {
    failLooks({ delayMs: 60_000 })
    const start = performance.now()
    const answer = await sendAndWait(messageBody(), 'wait=2')
    expect(answer.status).toBe(200)
    expect(answer.body.replies).toEqual([])
    // Long before the look would end.
    expect(performance.now() - start).toBeLessThan(30_000)
  })

  it.each<[string, Fault]>([
    ['500', { answer: { status: 500 } }],
    ['429', { answer: { status: 429 } }],
    ['a reset', { reset: 'before write' }],
  ])('a look that fails once is followed by another: %s', async (_what, fault) => {
    failLooks(fault, 1)
    const answer = await sendAndWait(messageBody({ text: 'Hi' }))
    expect(answer.status).toBe(200)
    expect(textsOf(answer)).toEqual(['You said: Hi'])
  })

  it('looks that all fail make a shorter answer, never an error', async () => {
    failLooks({ answer: { status: 503 } })
    const answer = await sendAndWait(messageBody(), 'wait=1')
    expect(answer.status).toBe(200)
    expect(answer.body.replies).toEqual([])
    expect(sandbox.chat.messages.get(answer.body.message.id)).toEqual(answer.body.message)
  })

  it.each([400, 401, 403, 404])('a look that is refused with %i ends the wait with what there is', async (status) => {
    failLooks({ answer: { status } })
    const answer = await sendAndWait(messageBody())
    expect(answer.status).toBe(200)
    expect(answer.body.replies).toEqual([])
    expect(looks()).toHaveLength(1)
  })
})

describe('a request that is refused', () => {
  it.each([
    ['a fault', { text: '' }, {}, 400],
    ['no token', {}, { authorization: null }, 401],
    ['an unknown token', {}, { authorization: 'Bearer bp_pat_unknown' }, 401],
  ])('for %s is not waited for', async (_what, fields, options, status) => {
    const answer = await send(sandbox, messageBody(fields), { ...options, headers: { prefer: 'wait=10' } })
    expect(answer.status).toBe(status)
    expect(looks()).toEqual([])
  })
})
