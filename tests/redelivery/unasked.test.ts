import { randomBytes } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'
import { endpointForTest } from '../harness/for-test'
import {
  DAY,
  MINUTE,
  beginAnewForEachTest,
  conversationIn,
  marks,
  missed,
  missedOnes,
  outage,
  redeliver,
  say,
  start,
  texts,
} from './outage'

const SECRET = `whsec_${randomBytes(32).toString('base64')}`

beginAnewForEachTest()

describe('redelivery by itself', () => {
  it('brings ten messages of an outage, the oldest first, when one more gets through', async () => {
    await missedOnes(10)
    await say('one more')
    expect(texts()).toEqual(['one more', ...Array.from({ length: 10 }, (_, index) => `${index + 1}`)])
    expect(Object.values(marks())).toEqual(Array(11).fill(undefined))
  })

  it('after a registration that succeeded, not after one that failed', async () => {
    await missedOnes(3)
    outage.statusOf = () => 400
    outage.sandbox.configure({ endpoint: 'http://127.0.0.1:9' })
    expect((await outage.sandbox.register()).status).toBe(400)
    expect(texts()).toEqual([])
    outage.statusOf = () => 204
    outage.sandbox.configure({ endpoint: outage.endpoint.url })
    expect((await outage.sandbox.register()).status).toBe(200)
    expect(texts()).toEqual(['1', '2', '3'])
  })

  it('after a registration also what this instance has tried before', async () => {
    outage.statusOf = () => 400
    await say('Hi')
    outage.statusOf = () => 204
    await outage.sandbox.register()
    expect(texts()).toEqual(['Hi', 'Hi'])
  })

  it('is the same message: id, fields, and time of its making; with a fresh timestamp and signature', async () => {
    outage.sandbox.configure({ endpoint: outage.endpoint.url, signingSecret: SECRET })
    outage.statusOf = () => 400
    await say('Hi')
    outage.statusOf = () => 204
    outage.sandbox.elapse(MINUTE)
    await say('Ho')
    const [first, , again] = outage.endpoint.messages()
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
    await outage.sandbox.register()
    expect(texts()).toEqual(['Hi'])
    expect(marks()).toEqual({ perhaps: 'unknown', Hi: undefined })
  })

  it('what is older than three days is not sent again', async () => {
    missed('old')
    outage.sandbox.elapse(3 * DAY + MINUTE)
    await say('Hi')
    await outage.sandbox.register()
    expect(texts()).toEqual(['Hi'])
    expect((await redeliver()).body).toEqual({ delivered: 1, undelivered: 0 })
    expect(texts()).toEqual(['Hi', 'old'])
  })

  it('looks where the instance knows of a failed one, or has not looked for five minutes', async () => {
    await say('a')
    expect(outage.events).toEqual(['try a', 'look for failed'])
    missed('of another instance')
    outage.events = []
    await say('b')
    expect(outage.events).toEqual(['try b'])
    outage.statusOf = () => 400
    await say('c')
    outage.statusOf = () => 204
    outage.events = []
    await say('d')
    const events = outage.events.filter((event) => !event.startsWith('mark'))
    expect(events.slice(0, 4)).toEqual(['try d', 'look for failed', 'try of another instance', 'try c'])
    missed('of another instance, later')
    outage.events = []
    outage.sandbox.elapse(5 * MINUTE)
    await say('e')
    expect(outage.events.slice(0, 3)).toEqual(['try e', 'look for failed', 'try of another instance, later'])
  })

  it('goes past what is refused for good, and tries it once between two looks', async () => {
    await missedOnes(4)
    outage.statusOf = (text) => (text === '2' ? 400 : 204)
    await say('a')
    expect(texts()).toEqual(['a', '1', '2', '3', '4'])
    expect(marks()).toMatchObject({ 1: undefined, 2: 'failed', 3: undefined, 4: undefined })
    outage.statusOf = (text) => (text === '2' || text === 'b' ? 400 : 204)
    await say('b')
    await say('c')
    await say('d')
    expect(texts().slice(5)).toEqual(['b', 'c', 'b', 'd'])
    outage.sandbox.elapse(5 * MINUTE)
    await say('e')
    expect(texts().slice(9)).toEqual(['e', '2', 'b'])
  })

  it('ends when the endpoint is down, and goes on from there', async () => {
    await missedOnes(4)
    outage.statusOf = (text) => (text === '3' ? 503 : 204)
    await say('a')
    expect(texts()).toEqual(['a', '1', '2', '3'])
    expect(outage.logged.join('\n')).toMatch(/Redelivered 2 messages that the endpoint had not taken/)
    expect(outage.logged.join('\n')).toMatch(
      /2 messages not delivered yet\. The message msg_\w+ was not delivered in 1 try: .* answered 503/
    )
    outage.statusOf = () => 204
    await say('b')
    expect(texts().slice(4)).toEqual(['b', '3', '4'])
  })

  it('a message that the endpoint always fails on holds up the others twice, also in instances that know nothing of it', async () => {
    for (const text of ['always fails', 'b', 'c']) missed(text)
    outage.statusOf = (text) => (text === 'always fails' ? 500 : 204)
    for (const text of ['x', 'y', 'z']) {
      await say(text)
      await outage.sandbox.endInstance()
    }
    expect(texts()).toEqual(['x', 'always fails', 'y', 'always fails', 'z', 'always fails', 'b', 'c'])
    expect(marks()).toMatchObject({ 'always fails': 'failed', b: undefined, c: undefined })
    outage.statusOf = () => 204
    await redeliver()
    expect(outage.sandbox.chat.messages.all().flatMap(({ tags }) => Object.keys(tags))).toEqual([])
  })

  it('a failure of the redelivery does not make the endpoint known to be down', async () => {
    missed('always fails')
    let left = 1
    outage.statusOf = (text) => (text === 'always fails' || (text === 'b' && left-- > 0) ? 503 : 204)
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
    outage.sandbox.chat.operations.updateMessage({ id: last.id, tags: { redelivery: `${until} another` } })
    await say('a')
    await say('b')
    expect(texts()).toEqual(['a', 'b'])
    outage.sandbox.elapse(20_000)
    await say('c')
    expect(texts()).toEqual(['a', 'b', 'c', '1', '2'])
  })

  it('what was delivered and could not be unmarked is not delivered again by this instance', async () => {
    missed('1')
    const body = { id: 'err_1', code: 403, type: 'Forbidden', message: 'The reason' }
    outage.faultOf = ({ operation, input }) =>
      operation === 'updateMessage' && Object(input['tags']).delivery === ''
        ? { answer: { status: 403, body } }
        : undefined
    await say('a')
    outage.sandbox.elapse(5 * MINUTE)
    await say('b')
    expect(texts()).toEqual(['a', '1', 'b'])
    expect(marks()).toMatchObject({ 1: 'failed' })
    outage.faultOf = () => undefined
    outage.sandbox.elapse(5 * MINUTE)
    await say('c')
    expect(texts()).toEqual(['a', '1', 'b', 'c'])
    expect(marks()).toMatchObject({ 1: undefined })
  })

  it('a look that Botpress refuses is made again after a minute', async () => {
    missed('1')
    const body = { id: 'err_1', code: 403, type: 'Forbidden', message: 'The reason' }
    outage.faultOf = ({ operation }) => (operation === 'listMessages' ? { answer: { status: 403, body } } : undefined)
    await say('a')
    outage.faultOf = () => undefined
    await say('b')
    expect(texts()).toEqual(['a', 'b'])
    outage.sandbox.elapse(MINUTE)
    await say('c')
    expect(texts()).toEqual(['a', 'b', 'c', '1'])
  })

  it('a conversation that was deleted, or has no external id, does not stop the rest', async () => {
    const [first, second] = [missed('1', { conversation: 'a' }), missed('2', { conversation: 'b' })]
    missed('3')
    outage.sandbox.chat.conversations.delete(first.conversationId)
    outage.sandbox.chat.operations.updateConversation({ id: second.conversationId, tags: { id: '' } })
    await say('Hi')
    expect(texts()).toEqual(['Hi', '3'])
    expect(outage.logged.join('\n')).toContain('is gone, or has no external id')
    const { body } = await redeliver()
    expect(body).toMatchObject({ delivered: 0, undelivered: 2, reason: expect.stringContaining(second.conversationId) })
  })

  it('a failure of Botpress changes nothing for the message that was delivered, and is told by the log', async () => {
    outage.faultOf = ({ operation }) =>
      operation === 'listMessages'
        ? { answer: { status: 403, body: { id: 'err_1', code: 403, type: 'Forbidden', message: 'The reason' } } }
        : undefined
    expect((await say('Hi')).status).toBe(200)
    expect((await outage.sandbox.register()).status).toBe(200)
    await expect.poll(() => outage.logged.join('\n')).toContain('could not be looked for: The reason.')
  })

  it('finds the external id of a conversation once, by its Botpress conversation', async () => {
    const found: unknown[] = []
    outage.faultOf = ({ operation, input }) => void (operation === 'getConversation' && found.push(input['id']))
    for (const conversation of ['a', 'b', 'a', 'b']) missed(`in ${conversation}`, { conversation })
    await say('Hi')
    missed('later', { conversation: 'a' })
    await redeliver()
    expect(found).toEqual([conversationIn(outage.sandbox, 'a').id, conversationIn(outage.sandbox, 'b').id])
    expect(outage.endpoint.messages().map(({ body }) => body.conversationId)).toEqual(['tea', 'a', 'b', 'a', 'b', 'a'])
  })

  it('goes to the address that is configured at that moment, and never across bots', async () => {
    const other = await outage.sandbox.install({ token: 'bp_pat_other', endpoint: outage.endpoint.url })
    missed('of another bot', { from: other })
    missed('of this bot')
    const moved = await endpointForTest()
    outage.sandbox.configure({ endpoint: moved.url })
    await say('Hi')
    await redeliver()
    expect(texts(moved)).toEqual(['Hi', 'of this bot'])
    expect(texts()).toEqual([])
    expect(marks(other)).toEqual({ 'of another bot': 'failed' })
  })
})
