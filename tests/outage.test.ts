import type { Message } from '@botpress/client'
import { randomBytes } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { Webhook } from 'standardwebhooks'
import { beforeEach, describe, expect, it } from 'vitest'
import type { ApiCall, Fault } from '../sandbox/cloud/chat/chat-api'
import type { Sandbox, SandboxOptions } from '../sandbox/sandbox'
import { messageBody, send } from './backend'
import type { Endpoint } from './endpoint'
import { endpointForTest, sandboxForTest } from './for-test'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

const SECRET = `whsec_${randomBytes(32).toString('base64')}`

/** What the endpoint answers to a text, or to any. */
let statusOf: (text: string) => number
let faultOf: (call: ApiCall) => Fault | undefined = () => undefined
/** What happened, in order: calls for marks and for what is marked, and tries. */
let events: string[]
let logged: string[]
let endpoint: Endpoint
let sandbox: Sandbox

const textOf = ({ payload }: { payload?: unknown }) => String((payload as { text?: string } | undefined)?.text)

const start = (options: SandboxOptions = {}) =>
  sandboxForTest({
    endpoint: endpoint.url,
    maxInstances: 1,
    onLog: (line) => logged.push(line),
    onApiCall: (call) => {
      const { operation, input } = call
      const tags = Object(input['tags'])
      if (operation === 'updateMessage' && Object.hasOwn(tags, 'delivery'))
        events.push(`mark ${JSON.stringify(tags.delivery)}`)
      if (operation === 'listMessages') events.push(`look for ${tags.delivery}`)
      return faultOf(call)
    },
    ...options,
  })

beforeEach(async () => {
  statusOf = () => 204
  faultOf = () => undefined
  logged = []
  events = []
  endpoint = await endpointForTest((response, { body }) => {
    events.push(`try ${textOf(body)}`)
    response.writeHead(statusOf(textOf(body)), { location: '/elsewhere' }).end()
  })
  sandbox = await start()
  // What is missed was marked by another instance, and the next one knows nothing of it.
  await sandbox.endInstance()
  events = []
})

const conversationIn = ({ chat }: Pick<Sandbox, 'chat'>, id = 'tea') =>
  chat.operations.getOrCreateConversation({ channel: 'channel', tags: { id } }).conversation

/** The bot writes, and the integration delivers. */
const say = (text: string, from: Pick<Sandbox, 'chat' | 'say'> = sandbox) =>
  from.say(conversationIn(from).id, { type: 'text', payload: { text } })

/** What the bot wrote before, and an instance that is no longer there marked so. */
const missed = (
  text: string,
  {
    delivery = 'failed',
    conversation = 'tea',
    from = sandbox,
  }: { delivery?: string; conversation?: string; from?: Pick<Sandbox, 'chat'> } = {}
): Message => {
  const conversationId = conversationIn(from, conversation).id
  const userId = from.chat.users.all()[0]!.id
  const { id } = from.chat.createBotMessage({ conversationId, userId, type: 'text', payload: { text } })
  return from.chat.operations.updateMessage({ id, tags: { delivery } }).message
}

/** As many, one after the other. */
const missedOnes = async (count: number): Promise<Message[]> => {
  const ones: Message[] = []
  for (let number = 1; number <= count; number++) {
    ones.push(missed(`${number}`))
    // Until the clock has moved.
    await setTimeout(2)
  }
  return ones
}

const texts = (at = endpoint) => at.messages().map(({ body }) => textOf(body))

const marks = (from: Pick<Sandbox, 'chat'> = sandbox) =>
  Object.fromEntries(from.chat.messages.all().map((message) => [textOf(message), message.tags['delivery']]))

const redeliver = (body?: unknown, more?: object) => send(sandbox, body, { path: '/redeliveries', ...more })

describe('the record', () => {
  it('a message whose first try has failed is marked before the pause, and unmarked when it is delivered', async () => {
    let tries = 0
    statusOf = () => (++tries <= 2 ? 503 : 204)
    expect((await say('Hi')).status).toBe(200)
    expect(events.slice(0, 5)).toEqual(['try Hi', 'mark "failed"', 'try Hi', 'try Hi', 'mark ""'])
    expect(marks()).toEqual({ Hi: undefined })
  })

  it('a message that is delivered at the first try costs no call', async () => {
    await say('first')
    events = []
    await say('second')
    expect(events).toEqual(['try second'])
  })

  it.each([302, 400, 401, 404, 410])('whatever the failure was: %i', async (status) => {
    statusOf = () => status
    expect((await say('Hi')).status).toBe(400)
    expect(events).toEqual(['try Hi', 'mark "failed"'])
    expect(marks()).toEqual({ Hi: 'failed' })
  })

  it('whatever the failure was: nobody listens, four times', async () => {
    await endpoint.close()
    expect((await say('Hi')).status).toBe(400)
    expect(events).toEqual(['mark "failed"'])
    expect(marks()).toEqual({ Hi: 'failed' })
  })

  it('whatever the failure was: the configuration is malformed', async () => {
    sandbox.configure({ endpoint: endpoint.url, signingSecret: 'secret' })
    expect((await say('Hi')).status).toBe(400)
    expect(marks()).toEqual({ Hi: 'failed' })
  })

  it('not where the conversation has no external id: it can never be delivered', async () => {
    const { conversation } = sandbox.chat.operations.createConversation({ channel: 'channel', tags: {} })
    expect((await sandbox.say(conversation.id, { type: 'text', payload: { text: 'Hi' } })).status).toBe(400)
    expect(events).toEqual([])
  })

  it('a message that another instance delivers in a pause between two tries is not tried again', async () => {
    const own = await start({ maxInstances: 2 })
    await own.endInstance()
    let tries = 0
    statusOf = (text) => (text === 'a' && ++tries === 1 ? 503 : 204)
    const saying = say('a', own)
    await expect.poll(() => marks(own)['a']).toBe('failed')
    await say('b', own)
    expect((await saying).status).toBe(200)
    expect(texts()).toEqual(['a', 'b', 'a'])
    expect(marks(own)).toEqual({ a: undefined, b: undefined })
  })

  it('is no longer asked before a further try where Botpress does not tell', async () => {
    let tries = 0
    statusOf = () => (++tries === 1 ? 503 : 204)
    faultOf = ({ operation }) => (operation === 'getMessage' ? { delayMs: 5000 } : undefined)
    expect((await say('a')).status).toBe(200)
    expect(texts()).toEqual(['a', 'a'])
  })

  it('an instance that ends between two tries has left the mark', async () => {
    statusOf = () => 503
    const saying = say('Hi')
    await expect.poll(() => marks()['Hi']).toBe('failed')
    await sandbox.endInstance()
    await saying
    statusOf = () => 204
    expect((await redeliver()).body).toEqual({ delivered: 1, undelivered: 0 })
    expect(marks()).toEqual({ Hi: undefined })
  })

  it('is written again where Botpress fails too', async () => {
    let left = 2
    faultOf = ({ operation }) => (operation === 'updateMessage' && left-- > 0 ? { answer: { status: 503 } } : undefined)
    statusOf = () => 400
    await say('Hi')
    expect(marks()).toEqual({ Hi: 'failed' })
  })

  it('that cannot be written is told by the log', async () => {
    const body = { id: 'err_1', code: 403, type: 'Forbidden', message: 'The reason' }
    faultOf = ({ operation }) => (operation === 'updateMessage' ? { answer: { status: 403, body } } : undefined)
    statusOf = () => 400
    await say('Hi')
    await expect
      .poll(() => logged.join('\n'))
      .toMatch(/The message msg_\w+ could not be marked as failed: The reason\./)
    let tries = 0
    statusOf = () => (++tries === 1 ? 503 : 204)
    expect((await say('Ho')).status).toBe(200)
    await expect
      .poll(() => logged.join('\n'))
      .toMatch(/msg_\w+ was delivered, but its mark could not be removed: The reason\./)
  })
})

describe('botpress-created-at', () => {
  it('tells when the bot made the message, the same in each try and in a redelivery', async () => {
    let tries = 0
    statusOf = () => (++tries === 1 ? 503 : tries === 2 ? 400 : 204)
    await say('Hi')
    await redeliver()
    const { createdAt } = sandbox.chat.messages.all()[0]!
    expect(createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    expect(endpoint.messages().map(({ headers }) => headers['botpress-created-at'])).toEqual(Array(3).fill(createdAt))
  })

  it('the test message has none', () => {
    expect(endpoint.tests()[0]!.headers).not.toHaveProperty('botpress-created-at')
  })
})

describe('redelivery by itself', () => {
  it('brings ten messages of an outage, the oldest first, when one more gets through', async () => {
    await missedOnes(10)
    await say('one more')
    expect(texts()).toEqual(['one more', ...Array.from({ length: 10 }, (_, index) => `${index + 1}`)])
    expect(Object.values(marks())).toEqual(Array(11).fill(undefined))
  })

  it('after a registration that succeeded, not after one that failed', async () => {
    await missedOnes(3)
    statusOf = () => 400
    sandbox.configure({ endpoint: 'http://127.0.0.1:9' })
    expect((await sandbox.register()).status).toBe(400)
    expect(texts()).toEqual([])
    statusOf = () => 204
    sandbox.configure({ endpoint: endpoint.url })
    expect((await sandbox.register()).status).toBe(200)
    expect(texts()).toEqual(['1', '2', '3'])
  })

  it('after a registration also what this instance has tried before', async () => {
    statusOf = () => 400
    await say('Hi')
    statusOf = () => 204
    await sandbox.register()
    expect(texts()).toEqual(['Hi', 'Hi'])
  })

  it('is the same message: id, fields, and time of its making; with a fresh timestamp and signature', async () => {
    sandbox.configure({ endpoint: endpoint.url, signingSecret: SECRET })
    statusOf = () => 400
    await say('Hi')
    statusOf = () => 204
    sandbox.elapse(MINUTE)
    await say('Ho')
    const [first, , again] = endpoint.messages()
    expect(again!.text).toBe(first!.text)
    for (const header of ['webhook-id', 'botpress-created-at'])
      expect(again!.headers[header]).toBe(first!.headers[header])
    const seconds = (one = first) => Number(one!.headers['webhook-timestamp'])
    expect(seconds(again)).toBeGreaterThanOrEqual(seconds(first) + 60)
    expect(again!.headers['webhook-signature']).not.toBe(first!.headers['webhook-signature'])
    const [signature] = String(again!.headers['webhook-signature']).split(' ')
    expect(
      new Webhook(SECRET).sign(String(again!.headers['webhook-id']), new Date(seconds(again) * 1000), again!.text)
    ).toBe(signature)
  })

  it('what may have arrived is not sent again', async () => {
    missed('perhaps', { delivery: 'unknown' })
    await say('Hi')
    await sandbox.register()
    expect(texts()).toEqual(['Hi'])
    expect(marks()).toEqual({ perhaps: 'unknown', Hi: undefined })
  })

  it('what is older than three days is not sent again', async () => {
    missed('old')
    sandbox.elapse(3 * DAY + MINUTE)
    await say('Hi')
    await sandbox.register()
    expect(texts()).toEqual(['Hi'])
    expect((await redeliver()).body).toEqual({ delivered: 1, undelivered: 0 })
    expect(texts()).toEqual(['Hi', 'old'])
  })

  it('looks where the instance knows of a failed one, or has not looked for five minutes', async () => {
    await say('a')
    expect(events).toEqual(['try a', 'look for failed'])
    missed('of another instance')
    events = []
    await say('b')
    expect(events).toEqual(['try b'])
    statusOf = () => 400
    await say('c')
    statusOf = () => 204
    events = []
    await say('d')
    expect(events.slice(0, 4)).toEqual(['try d', 'look for failed', 'try of another instance', 'try c'])
    missed('of another instance, later')
    events = []
    sandbox.elapse(5 * MINUTE)
    await say('e')
    expect(events.slice(0, 3)).toEqual(['try e', 'look for failed', 'try of another instance, later'])
  })

  it('goes past what is refused for good, and tries it once between two looks', async () => {
    await missedOnes(4)
    statusOf = (text) => (text === '2' ? 400 : 204)
    await say('a')
    expect(texts()).toEqual(['a', '1', '2', '3', '4'])
    expect(marks()).toMatchObject({ 1: undefined, 2: 'failed', 3: undefined, 4: undefined })
    statusOf = (text) => (text === '2' || text === 'b' ? 400 : 204)
    await say('b')
    await say('c')
    await say('d')
    expect(texts().slice(5)).toEqual(['b', 'c', 'b', 'd'])
    sandbox.elapse(5 * MINUTE)
    await say('e')
    expect(texts().slice(9)).toEqual(['e', '2', 'b'])
  })

  it('ends when the endpoint is down, and goes on from there', async () => {
    await missedOnes(4)
    statusOf = (text) => (text === '3' ? 503 : 204)
    await say('a')
    expect(texts()).toEqual(['a', '1', '2', '3'])
    expect(logged.join('\n')).toMatch(/Redelivered 2 messages that the endpoint had not taken/)
    expect(logged.join('\n')).toMatch(
      /2 messages not delivered yet\. The message msg_\w+ was not delivered in 1 try: .* answered 503/
    )
    statusOf = () => 204
    await say('b')
    expect(texts().slice(4)).toEqual(['b', '3', '4'])
  })

  it('a message that the endpoint always fails on holds up the others twice, also in instances that know nothing of it', async () => {
    for (const text of ['always fails', 'b', 'c']) missed(text)
    statusOf = (text) => (text === 'always fails' ? 500 : 204)
    for (const text of ['x', 'y', 'z']) {
      await say(text)
      await sandbox.endInstance()
    }
    expect(texts()).toEqual(['x', 'always fails', 'y', 'always fails', 'z', 'always fails', 'b', 'c'])
    expect(marks()).toMatchObject({ 'always fails': 'failed', b: undefined, c: undefined })
    statusOf = () => 204
    await redeliver()
    expect(sandbox.chat.messages.all().flatMap(({ tags }) => Object.keys(tags))).toEqual([])
  })

  it('a failure of the redelivery does not make the endpoint known to be down', async () => {
    missed('always fails')
    let left = 1
    statusOf = (text) => (text === 'always fails' || (text === 'b' && left-- > 0) ? 503 : 204)
    await say('a')
    expect((await say('b')).status).toBe(200)
    expect(texts().slice(0, 4)).toEqual(['a', 'always fails', 'b', 'b'])
  })

  it('of instances that find the same at the same time, one delivers it', async () => {
    // Those that are ended now know nothing of it.
    const own = await start({ maxInstances: 4 })
    for (let number = 1; number <= 45; number++) missed(`${number}`, { from: own })
    await own.endInstance()
    await Promise.all(['a', 'b', 'c', 'd'].map((text) => say(text, own)))
    const redelivered = texts().filter((text) => Number(text))
    expect(redelivered).toEqual(Array.from({ length: 45 }, (_, index) => `${index + 1}`))
    expect(own.chat.messages.all().flatMap(({ tags }) => Object.keys(tags))).toEqual([])
  })

  it('a call that was ended in its redelivery is waited for no longer than 20 s', async () => {
    const last = [missed('1'), missed('2')].at(-1)!
    const until = new Date(Date.now() + 20_000).toISOString()
    sandbox.chat.operations.updateMessage({ id: last.id, tags: { redelivery: `${until} another` } })
    await say('a')
    await say('b')
    expect(texts()).toEqual(['a', 'b'])
    sandbox.elapse(20_000)
    await say('c')
    expect(texts()).toEqual(['a', 'b', 'c', '1', '2'])
  })

  it('what was delivered and could not be unmarked is not delivered again by this instance', async () => {
    missed('1')
    const body = { id: 'err_1', code: 403, type: 'Forbidden', message: 'The reason' }
    faultOf = ({ operation, input }) =>
      operation === 'updateMessage' && Object(input['tags']).delivery === ''
        ? { answer: { status: 403, body } }
        : undefined
    await say('a')
    sandbox.elapse(5 * MINUTE)
    await say('b')
    expect(texts()).toEqual(['a', '1', 'b'])
    expect(marks()).toMatchObject({ 1: 'failed' })
    faultOf = () => undefined
    sandbox.elapse(5 * MINUTE)
    await say('c')
    expect(texts()).toEqual(['a', '1', 'b', 'c'])
    expect(marks()).toMatchObject({ 1: undefined })
  })

  it('a look that Botpress refuses is made again after a minute', async () => {
    missed('1')
    const body = { id: 'err_1', code: 403, type: 'Forbidden', message: 'The reason' }
    faultOf = ({ operation }) => (operation === 'listMessages' ? { answer: { status: 403, body } } : undefined)
    await say('a')
    faultOf = () => undefined
    await say('b')
    expect(texts()).toEqual(['a', 'b'])
    sandbox.elapse(MINUTE)
    await say('c')
    expect(texts()).toEqual(['a', 'b', 'c', '1'])
  })

  it('a conversation that was deleted, or has no external id, does not stop the rest', async () => {
    const [first, second] = [missed('1', { conversation: 'a' }), missed('2', { conversation: 'b' })]
    missed('3')
    sandbox.chat.conversations.delete(first.conversationId)
    sandbox.chat.operations.updateConversation({ id: second.conversationId, tags: { id: '' } })
    await say('Hi')
    expect(texts()).toEqual(['Hi', '3'])
    expect(logged.join('\n')).toContain('is gone, or has no external id')
    const { body } = await redeliver()
    expect(body).toMatchObject({ delivered: 0, undelivered: 2, reason: expect.stringContaining(second.conversationId) })
  })

  it('a failure of Botpress changes nothing for the message that was delivered, and is told by the log', async () => {
    faultOf = ({ operation }) =>
      operation === 'listMessages'
        ? { answer: { status: 403, body: { id: 'err_1', code: 403, type: 'Forbidden', message: 'The reason' } } }
        : undefined
    expect((await say('Hi')).status).toBe(200)
    expect((await sandbox.register()).status).toBe(200)
    await expect.poll(() => logged.join('\n')).toContain('could not be looked for: The reason.')
  })

  it('finds the external id of a conversation once, by its Botpress conversation', async () => {
    const found: unknown[] = []
    faultOf = ({ operation, input }) => void (operation === 'getConversation' && found.push(input['id']))
    for (const conversation of ['a', 'b', 'a', 'b']) missed(`in ${conversation}`, { conversation })
    await say('Hi')
    missed('later', { conversation: 'a' })
    await redeliver()
    expect(found).toEqual([conversationIn(sandbox, 'a').id, conversationIn(sandbox, 'b').id])
    expect(endpoint.messages().map(({ body }) => body.conversationId)).toEqual(['tea', 'a', 'b', 'a', 'b', 'a'])
  })

  it('goes to the address that is configured at that moment, and never across bots', async () => {
    const other = await sandbox.install({ token: 'bp_pat_other', endpoint: endpoint.url })
    missed('of another bot', { from: other })
    missed('of this bot')
    const moved = await endpointForTest()
    sandbox.configure({ endpoint: moved.url })
    await say('Hi')
    await redeliver()
    expect(texts(moved)).toEqual(['Hi', 'of this bot'])
    expect(texts()).toEqual([])
    expect(marks(other)).toEqual({ 'of another bot': 'failed' })
  })
})

describe('the bounds of a redelivery by itself', () => {
  const refusal = {
    answer: { status: 403, body: { id: 'err_1', code: 403, type: 'Forbidden', message: 'The reason' } },
  }

  it('where nobody listens, it is no fault of the message: the others are not tried', async () => {
    for (const text of ['1', '2']) missed(text)
    await endpoint.close()
    for (let asked = 0; asked < 3; asked++) {
      expect((await redeliver()).body).toMatchObject({ delivered: 0, undelivered: 2 })
    }
    expect(sandbox.chat.messages.all().map(({ tags }) => tags)).toEqual([
      { delivery: 'failed' },
      { delivery: 'failed' },
    ])
  })

  it('nor where the endpoint asks for patience', async () => {
    for (const text of ['1', '2']) missed(text)
    statusOf = () => 429
    for (let asked = 0; asked < 3; asked++) await redeliver()
    expect(texts()).toEqual(['1', '1', '1'])
  })

  it('a message on which the endpoint breaks off the connection holds up the others twice', async () => {
    for (const text of ['breaks off', 'b', 'c']) missed(text)
    const breaking = await endpointForTest((response, { body }) => {
      if (textOf(body) === 'breaks off') response.socket!.resetAndDestroy()
      else response.writeHead(204).end()
    })
    sandbox.configure({ endpoint: breaking.url })
    expect((await redeliver()).body).toMatchObject({ delivered: 0, undelivered: 3 })
    expect((await redeliver()).body).toMatchObject({ delivered: 0, undelivered: 3 })
    expect((await redeliver()).body).toMatchObject({ delivered: 2, undelivered: 1 })
  })

  it('what is just within three days is sent again', async () => {
    missed('1')
    sandbox.elapse(3 * DAY - MINUTE)
    await say('a')
    expect(texts()).toEqual(['a', '1'])
  })

  it('begins no try after 20 s, and goes on behind what it has tried', async () => {
    await missedOnes(50)
    statusOf = (text) => {
      if (Number(text)) sandbox.elapse(1000)
      return Number(text) <= 30 ? 400 : 204
    }
    await say('a')
    const tried = texts().length - 1
    expect(tried).toBeGreaterThan(10)
    expect(tried).toBeLessThanOrEqual(21)
    sandbox.elapse(5 * MINUTE)
    await say('b')
    expect(texts()[tried + 2]).toBe(String(tried + 1))
  })

  it('is not begun in a call that has no time left for it', async () => {
    missed('1')
    statusOf = (text) => {
      if (text === 'a') sandbox.elapse(36_000)
      return 204
    }
    await say('a')
    expect(events).toEqual(['try a'])
    await say('b')
    expect(texts()).toEqual(['a', 'b', '1'])
  })

  it('does not look once more after one that has tried all, nor while another has the lease', async () => {
    statusOf = (text) => (text === 'refused' ? 400 : 204)
    await say('refused')
    await say('a')
    events = []
    await say('b')
    expect(events).toEqual(['try b'])
    const until = new Date(Date.now() + 20_000).toISOString()
    const { id } = missed('1')
    sandbox.chat.operations.updateMessage({ id, tags: { redelivery: `${until} another` } })
    await sandbox.endInstance()
    await say('c')
    events = []
    await say('d')
    expect(events).toEqual(['try d'])
  })

  it('a request does not wait for a lease', async () => {
    const { id } = missed('1')
    const until = new Date(Date.now() + 20_000).toISOString()
    sandbox.chat.operations.updateMessage({ id, tags: { redelivery: `${until} another` } })
    expect((await redeliver()).body).toEqual({ delivered: 1, undelivered: 0 })
  })

  it('a lease is seen also where it is not on the oldest page', async () => {
    for (let number = 1; number <= 30; number++) missed(`${number}`)
    const until = new Date(Date.now() + 20_000).toISOString()
    const { id } = sandbox.chat.messages.all().at(-1)!
    sandbox.chat.operations.updateMessage({ id, tags: { redelivery: `${until} another` } })
    await say('a')
    expect(texts()).toEqual(['a'])
  })

  it('without a lease that can be written, nothing is redelivered by itself', async () => {
    missed('1')
    faultOf = ({ operation }) => (operation === 'updateMessage' ? refusal : undefined)
    await say('a')
    expect(texts()).toEqual(['a'])
    expect(logged.join('\n')).toMatch(/The message msg_\w+ could not be tagged: The reason\./)
  })

  it('ends after a page where Botpress takes no marks away', async () => {
    await missedOnes(45)
    faultOf = ({ operation, input }) =>
      operation === 'updateMessage' && Object(input['tags']).delivery === '' ? refusal : undefined
    const { body } = await redeliver()
    expect(texts().length).toBeLessThanOrEqual(20)
    expect(body).toMatchObject({ delivered: texts().length })
  })

  it('what was delivered by a further try and could not be unmarked is not delivered again, also after a registration', async () => {
    let tries = 0
    statusOf = () => (++tries === 1 ? 503 : 204)
    faultOf = ({ operation, input }) =>
      operation === 'updateMessage' && Object(input['tags']).delivery === '' ? refusal : undefined
    await say('a')
    faultOf = () => undefined
    await sandbox.register()
    await redeliver()
    expect(texts()).toEqual(['a', 'a'])
    expect(marks()).toEqual({ a: undefined })
  })

  it('what was interrupted goes on behind what it has tried, but not at another address', async () => {
    await missedOnes(20)
    statusOf = () => {
      sandbox.elapse(1000)
      return 400
    }
    await redeliver()
    expect(texts().length).toBeLessThan(20)
    const moved = await endpointForTest()
    sandbox.configure({ endpoint: moved.url })
    expect((await redeliver()).body).toEqual({ delivered: 20, undelivered: 0 })
  })

  it('on request, looking takes no more than a part of the time, and no try is begun without time for it', async () => {
    await missedOnes(100)
    faultOf = ({ operation }) => {
      if (operation === 'listMessages') sandbox.elapse(3000)
      return undefined
    }
    const { body } = await redeliver()
    expect(body.delivered).toBeGreaterThan(0)
    faultOf = ({ operation }) => {
      if (operation === 'listMessages') sandbox.elapse(10_000)
      return undefined
    }
    expect((await redeliver()).body).toMatchObject({
      delivered: 0,
      reason: expect.stringContaining('no time to try any'),
    })
  })

  it('a mark is written also where Botpress asks for more patience than there is', async () => {
    let left = 1
    const busy = { answer: { status: 429, headers: { 'retry-after': '60' } } }
    faultOf = ({ operation }) => (operation === 'updateMessage' && left-- > 0 ? busy : undefined)
    statusOf = () => 400
    await say('a')
    expect(marks()).toEqual({ a: 'failed' })
  })
})

describe('while the endpoint is known to be down', () => {
  const tries = () => events.filter((event) => event.startsWith('try'))

  it('a message gets one try; after a success or a minute it is patient again', async () => {
    statusOf = () => 503
    await say('a')
    await say('b')
    await say('c')
    expect(tries()).toEqual(['try a', 'try a', 'try a', 'try a', 'try b', 'try c'])
    expect(marks()).toEqual({ a: 'failed', b: 'failed', c: 'failed' })
    events = []
    sandbox.elapse(MINUTE - 5000)
    await say('c2')
    expect(tries()).toEqual(['try c2'])
    events = []
    sandbox.elapse(MINUTE)
    await say('d')
    expect(tries()).toEqual(Array(4).fill('try d'))
    statusOf = () => 204
    await say('e')
    expect(texts().slice(-6)).toEqual(['e', 'a', 'b', 'c', 'c2', 'd'])
    events = []
    let first = true
    statusOf = () => {
      const status = first ? 503 : 204
      first = false
      return status
    }
    await say('f')
    expect(tries()).toEqual(['try f', 'try f'])
  })

  it('not by what it refuses for good, and not at another address', async () => {
    let left = 0
    statusOf = (text) => (text === 'refused' ? 400 : left-- > 0 ? 503 : 204)
    await say('refused')
    left = 1
    expect((await say('a')).status).toBe(200)
    left = 4
    expect((await say('b')).status).toBe(400)
    const moved = await endpointForTest((response) => response.writeHead(left-- > 0 ? 503 : 204).end())
    sandbox.configure({ endpoint: moved.url })
    left = 1
    expect((await say('c')).status).toBe(200)
    expect(texts(moved).slice(0, 2)).toEqual(['c', 'c'])
  })
})

describe('POST {webhook URL}/redeliveries', () => {
  it.each([
    ['no body', undefined],
    ['an empty one', ' '],
    ['an empty object', {}],
    ['delivery: failed', { delivery: 'failed', more: 'fields are ignored' }],
  ])('delivers what has failed: with %s', async (_what, body) => {
    await missedOnes(3)
    missed('perhaps', { delivery: 'unknown' })
    const answer = await redeliver(body, { unchecked: body === ' ' })
    expect(answer.status).toBe(200)
    expect(answer.body).toEqual({ delivered: 3, undelivered: 0 })
    expect(texts()).toEqual(['1', '2', '3'])
    expect((await redeliver()).body).toEqual({ delivered: 0, undelivered: 0 })
  })

  it('with delivery: unknown, what may have arrived', async () => {
    missed('perhaps', { delivery: 'unknown' })
    missed('failed')
    expect((await redeliver({ delivery: 'unknown' })).body).toEqual({ delivered: 1, undelivered: 0 })
    expect(texts()).toEqual(['perhaps'])
    expect(marks()).toEqual({ perhaps: undefined, failed: 'failed' })
  })

  it('with a conversationId, what is in it', async () => {
    missed('a', { conversation: 'a' })
    missed('b', { conversation: 'b' })
    expect((await redeliver({ conversationId: 'b' })).body).toEqual({ delivered: 1, undelivered: 0 })
    expect(texts()).toEqual(['b'])
    expect((await redeliver({ conversationId: 'none' })).status).toBe(404)
    expect(sandbox.chat.conversations.findByTags({ id: 'none' })).toBeUndefined()
  })

  it('counts those that were found and are not delivered, and gives the last failure as the reason', async () => {
    await missedOnes(45)
    statusOf = (text) => (text === '2' ? 400 : text === '4' ? 503 : 204)
    const { body } = await redeliver()
    expect(body).toEqual({
      delivered: 2,
      undelivered: 43,
      reason: expect.stringMatching(/^The message msg_\w+ was not delivered in 1 try: .* answered 503\./),
    })
    statusOf = () => 204
    expect((await redeliver()).body).toEqual({ delivered: 43, undelivered: 0 })
    expect(texts()).toEqual(['1', '2', '3', '4', '2', ...Array.from({ length: 42 }, (_, index) => `${index + 4}`)])
  })

  it('asks for each page twice at the most, and gets each message once', async () => {
    await missedOnes(130)
    const { body } = await redeliver()
    expect(body).toEqual({ delivered: 130, undelivered: 0 })
    expect(texts()).toEqual(Array.from({ length: 130 }, (_, index) => `${index + 1}`))
    expect(events.filter((event) => event.startsWith('look')).length).toBeLessThanOrEqual(14)
  })

  it('takes what fails while it works too, and what is delivered elsewhere meanwhile not again', async () => {
    const ones = await missedOnes(45)
    statusOf = (text) => {
      if (text === '1') {
        missed('new')
        sandbox.chat.operations.updateMessage({ id: ones[40]!.id, tags: { delivery: '' } })
      }
      return 204
    }
    expect((await redeliver()).body).toEqual({ delivered: 45, undelivered: 0 })
    expect(texts()).toEqual(
      [...Array.from({ length: 45 }, (_, index) => `${index + 1}`), 'new'].filter((text) => text !== '41')
    )
  })

  it('out of time, says how many are left; asked again, goes on behind what was refused for good', async () => {
    await missedOnes(50)
    statusOf = (text) => {
      sandbox.elapse(1000)
      return Number(text) <= 30 ? 400 : 204
    }
    const answers = []
    for (let asked = 0; asked < 10; asked++) {
      const { body } = await redeliver()
      answers.push(body)
      if (texts().includes('50')) break
    }
    expect(answers.length).toBeGreaterThan(2)
    expect(answers[0]).toMatchObject({ delivered: 0, undelivered: 50, reason: expect.stringContaining('answered 400') })
    expect(texts().filter((text) => Number(text) > 30)).toEqual(
      Array.from({ length: 20 }, (_, index) => `${index + 31}`)
    )
    statusOf = () => 204
    expect((await redeliver()).body).toEqual({ delivered: 30, undelivered: 0 })
  })

  it.each([
    ['another value', { delivery: 'delivered' }, ['delivery']],
    ['two faults', { delivery: '', conversationId: '' }, ['conversationId', 'delivery']],
    ['no object', [], undefined],
    ['no JSON', 'delivery=failed', undefined],
  ])('400: %s', async (_what, body, paths) => {
    missed('Hi')
    const answer = await redeliver(body, { unchecked: true })
    expect(answer.status).toBe(400)
    if (paths) expect(answer.body.errors.map(({ path }: { path: string }) => path)).toEqual(paths)
    expect(events).toEqual([])
  })

  it('401 without a credential, 403 with one of another bot: nothing is sent', async () => {
    missed('Hi')
    const other = await sandbox.install({ token: 'bp_pat_other' })
    expect((await redeliver(undefined, { authorization: null })).status).toBe(401)
    expect((await redeliver(undefined, { authorization: 'Bearer bp_pat_unknown' })).status).toBe(401)
    expect((await redeliver(undefined, { authorization: `Bearer ${other.token}` })).status).toBe(403)
    expect(texts()).toEqual([])
  })

  it('405 for another method', async () => {
    const answer = await redeliver(undefined, { method: 'GET' })
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST'])
  })

  it('a Personal Access Token asks Botpress itself, an access key the integration', async () => {
    const used = new Set<unknown>()
    faultOf = ({ headers }) => void used.add(headers.authorization)
    missed('a', { conversation: 'a' })
    await redeliver({ conversationId: 'a' })
    expect([...used]).toEqual([`Bearer ${sandbox.token}`])
    used.clear()
    const accessKey = 'k'.repeat(32)
    sandbox.configure({ endpoint: endpoint.url, accessKey })
    missed('b')
    expect((await redeliver({}, { authorization: `Bearer ${accessKey}` })).body).toEqual({
      delivered: 1,
      undelivered: 0,
    })
    expect([...used]).toEqual([`Bearer ${sandbox.integrationToken}`])
  })

  it('502 where Botpress fails before anything is found; after that, what was done until then', async () => {
    await missedOnes(30)
    const body = { id: 'err_1', code: 403, type: 'Forbidden', message: 'The reason' }
    faultOf = ({ operation }) => (operation === 'listMessages' ? { answer: { status: 403, body } } : undefined)
    expect((await redeliver()).status).toBe(403)
    let looks = 0
    faultOf = ({ operation }) =>
      operation === 'listMessages' && ++looks > 2 ? { answer: { status: 403, body } } : undefined
    expect((await redeliver()).body).toEqual({ delivered: 10, undelivered: 20, reason: 'Botpress failed: The reason.' })
  })
})

describe('GET {webhook URL}/messages?delivery=', () => {
  const read = (query: Record<string, string>) =>
    send(sandbox, undefined, { method: 'GET', path: `/messages?${new URLSearchParams(query)}` })

  it('failed: what has not reached the endpoint, newest first, over all conversations; unknown: what may have', async () => {
    missed('1', { conversation: 'a' })
    missed('2', { conversation: 'b' })
    missed('3', { conversation: 'a', delivery: 'unknown' })
    await send(sandbox, messageBody({ text: 'silent' }))
    const failed = await read({ delivery: 'failed' })
    expect(failed.body.messages.map((message: object) => textOf(message))).toEqual(['2', '1'])
    expect(failed.body.messages[0]).toEqual({
      type: 'text',
      payload: { text: '2' },
      conversationId: 'b',
      botpressUserId: expect.any(String),
      botpressMessageId: expect.any(String),
      botpressConversationId: conversationIn(sandbox, 'b').id,
      direction: 'outgoing',
      createdAt: expect.any(String),
      delivery: 'failed',
    })
    const unknown = await read({ delivery: 'unknown' })
    expect(unknown.body.messages).toMatchObject([{ conversationId: 'a', delivery: 'unknown' }])
    const ofOne = await read({ delivery: 'failed', conversationId: 'a' })
    expect(ofOne.body.messages).toMatchObject([{ payload: { text: '1' } }])
  })

  it('in pages', async () => {
    await missedOnes(45)
    const found: string[] = []
    let nextToken = ''
    do {
      const { body } = await read({ delivery: 'failed', nextToken })
      found.push(...body.messages.map((message: object) => textOf(message)))
      nextToken = body.meta.nextToken ?? ''
    } while (nextToken)
    expect(found).toEqual(Array.from({ length: 45 }, (_, index) => `${45 - index}`))
  })

  it('leaves out what is in a conversation that is gone', async () => {
    const { conversationId } = missed('1', { conversation: 'a' })
    missed('2')
    sandbox.chat.conversations.delete(conversationId)
    expect((await read({ delivery: 'failed' })).body.messages).toMatchObject([{ payload: { text: '2' } }])
  })

  it.each([
    [{ delivery: 'delivered' }, 'delivery'],
    [{ delivery: '' }, 'delivery'],
    [{}, 'conversationId'],
  ])('400: %j', async (query, path) => {
    const answer = await read(query as Record<string, string>)
    expect(answer.status).toBe(400)
    expect(answer.body.errors).toMatchObject([{ path }])
  })

  it('a message of a conversation that is read tells how its delivery stands', async () => {
    missed('1')
    await say('2')
    const { body } = await read({ conversationId: 'tea' })
    expect(body.messages.map(({ delivery }: { delivery?: string }) => delivery)).toEqual([undefined, undefined])
    missed('3', { delivery: 'unknown' })
    expect((await read({ conversationId: 'tea' })).body.messages[0]).toMatchObject({ delivery: 'unknown' })
  })
})
