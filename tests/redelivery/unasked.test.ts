import { randomBytes } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'
import { endpointForTest } from '../harness/for-test'
import {
  DAY,
  MINUTE,
  beginAnewForEachTest,
  conversationIn,
  failures,
  marks,
  missed,
  missedOnes,
  outage,
  redeliver,
  say,
  texts,
} from './outage'

const SECRET = `whsec_${randomBytes(32).toString('base64')}`

const refusal = {
  answer: { status: 403, body: { id: 'err_1', code: 403, type: 'Forbidden', message: 'The reason' } },
}

beginAnewForEachTest()

describe('redelivery by itself', () => {
  it('brings ten messages of an outage, the oldest first, when one more gets through', async () => {
    missedOnes(10)
    await say('one more')
    expect(texts()).toEqual(['one more', ...Array.from({ length: 10 }, (_, index) => `${index + 1}`)])
    expect(Object.values(marks())).toEqual(Array(11).fill(undefined))
  })

  it('goes conversation by conversation, and in each from the oldest message to the newest', async () => {
    for (const text of ['a1', 'b1', 'a2', 'b2', 'a3']) missed(text, { conversation: text[0] })
    await say('Hi')
    const redelivered = texts().slice(1)
    expect([redelivered.join(' ')]).toEqual([expect.stringMatching(/^(a1 a2 a3 b1 b2|b1 b2 a1 a2 a3)$/)])
  })

  it('brings hundreds of one conversation in order, and all conversations of many pages', async () => {
    const hundreds = Array.from({ length: 130 }, (_, index) => missed(`${index}`, { conversation: 'long' }))
    for (let index = 0; index < 60; index++) missed(`other ${index}`, { conversation: `other ${index}` })
    // A slow machine needs more than the 12 s of one call.
    for (let calls = 0; calls < 5 && Object.values(marks()).some(Boolean); calls++) await outage.sandbox.register()
    expect(texts().filter((text) => Number(text) >= 0)).toEqual(hundreds.map((_, index) => `${index}`))
    expect(texts()).toHaveLength(190)
    expect(Object.values(marks()).filter(Boolean)).toEqual([])
  })

  it('after a registration that succeeded, not after one that failed', async () => {
    missedOnes(3)
    outage.sandbox.configure({ endpoint: 'http://127.0.0.1:9' })
    expect((await outage.sandbox.register()).status).toBe(400)
    expect(texts()).toEqual([])
    outage.sandbox.configure({ endpoint: outage.endpoint.url })
    expect((await outage.sandbox.register()).status).toBe(200)
    expect(texts()).toEqual(['1', '2', '3'])
  })

  it('after a registration also what this instance gave up just now', async () => {
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

  it('what is older than 24 hours is not sent again, also if younger ones are; on request it is', async () => {
    missed('old', { ageMs: DAY + MINUTE })
    await outage.sandbox.register()
    expect(texts()).toEqual([])
    missed('young', { ageMs: DAY - MINUTE })
    await outage.sandbox.register()
    expect(texts()).toEqual(['young'])
    expect((await redeliver()).body).toEqual({ delivered: 1, undelivered: 0, more: false })
    expect(texts()).toEqual(['young', 'old'])
  })

  it('looks after a success if it has seen a failure since, not twice in 30 s, or has not looked for five minutes', async () => {
    await say('a')
    expect(outage.events).toEqual(['try a', 'look for failed'])
    missed('of another instance')
    outage.events = []
    await say('b')
    outage.sandbox.elapse(5 * MINUTE - 5000)
    await say('c')
    expect(outage.events).toEqual(['try b', 'try c'])
    outage.sandbox.elapse(5000)
    outage.events = []
    await say('d')
    expect(outage.events.slice(0, 2)).toEqual(['try d', 'look for failed'])
    expect(outage.events).toContain('try of another instance')
    outage.statusOf = () => 400
    await say('e')
    outage.statusOf = () => 204
    outage.events = []
    await say('f')
    expect(outage.events).toEqual(['try f'])
    outage.sandbox.elapse(30_000)
    await say('g')
    expect(outage.events).toContain('try e')
  })

  it('leaves alone what may still be in the retries of its own call, for 45 s', async () => {
    missed('young', { ageMs: 0 })
    await outage.sandbox.register()
    expect(texts()).toEqual([])
    outage.sandbox.elapse(45_000)
    await outage.sandbox.register()
    expect(texts()).toEqual(['young'])
  })

  it('what it has left alone so, it looks for again after 30 s, though it has seen no failure', async () => {
    missed('young', { ageMs: 0 })
    await say('a')
    outage.sandbox.elapse(45_000)
    await say('b')
    expect(texts()).toEqual(['a', 'b', 'young'])
  })

  it('waits after n failed redeliveries of a message at least 2^n minutes, at most 12 hours', async () => {
    missed('bad')
    outage.statusOf = () => 500
    const triesAfter = async (minutes: number) => {
      outage.sandbox.elapse(minutes * MINUTE)
      await outage.sandbox.register()
      return texts().length
    }
    expect(await triesAfter(0)).toBe(1)
    expect(await triesAfter(1.9)).toBe(1)
    expect(await triesAfter(0.1)).toBe(2)
    expect(await triesAfter(3.9)).toBe(2)
    expect(await triesAfter(0.1)).toBe(3)
    expect(failures()['bad']).toMatch(/^3 \d{4}-\d\d-\d\dT/)
    const [{ id } = { id: '' }] = outage.sandbox.chat.messages.all()
    const lastAt = new Date(Date.now() + 6 * MINUTE).toISOString()
    outage.sandbox.chat.operations.updateMessage({ id, tags: { redeliveryFailures: `30 ${lastAt}` } })
    expect(await triesAfter(11.9 * 60)).toBe(3)
    expect(await triesAfter(0.2 * 60)).toBe(4)
    outage.statusOf = () => 204
    expect((await redeliver()).body).toMatchObject({ delivered: 1 })
    expect(outage.sandbox.chat.messages.all().map(({ tags }) => tags)).toEqual([{}])
  })

  it('a time that was written under a clock far ahead delays nothing', async () => {
    const ahead = new Date(Date.now() + DAY).toISOString()
    missed('counted', { failures: `1 ${ahead}` })
    await outage.sandbox.register()
    expect(texts()).toEqual(['counted'])
    outage.sandbox.elapse(DAY)
    await say('a')
    outage.sandbox.elapse(-DAY)
    missed('later')
    await say('b')
    expect(texts()).toContain('later')
  })

  it('ends when the endpoint is down, and tells the log', async () => {
    missedOnes(4)
    outage.statusOf = (text) => (text === '3' ? 503 : 204)
    await say('a')
    expect(texts()).toEqual(['a', '1', '2', '3'])
    expect(outage.logged.join('\n')).toMatch(/Delivered messages that had failed before: 2\./)
    expect(outage.logged.join('\n')).toMatch(
      /Messages that could still not be delivered: 1\. The message msg_\w+ was not delivered in 1 try: .* answered 503/
    )
    outage.statusOf = () => 204
    outage.sandbox.elapse(30_000)
    await say('b')
    expect(texts().slice(4)).toEqual(['b', '4'])
  })

  it('a failure of the redelivery does not make the endpoint known to be down', async () => {
    missed('always fails')
    let left = 1
    outage.statusOf = (text) => (text === 'always fails' || (text === 'b' && left-- > 0) ? 503 : 204)
    await say('a')
    expect((await say('b')).status).toBe(200)
    expect(texts().slice(0, 4)).toEqual(['a', 'always fails', 'b', 'b'])
  })

  it('a look that Botpress refuses is told by the log, and made again after 30 s', async () => {
    missed('1')
    outage.faultOf = ({ operation }) => (operation === 'listMessages' ? refusal : undefined)
    expect((await say('a')).status).toBe(200)
    await expect.poll(() => outage.logged.join('\n')).toMatch(/could not list what \S+ missed: The reason\./)
    outage.faultOf = () => undefined
    await say('b')
    expect(texts()).toEqual(['a', 'b'])
    outage.sandbox.elapse(30_000)
    await say('c')
    expect(texts()).toEqual(['a', 'b', 'c', '1'])
  })

  it('finds the external id of a conversation once', async () => {
    const found: unknown[] = []
    outage.faultOf = ({ operation, input }) => void (operation === 'getConversation' && found.push(input['id']))
    for (const conversation of ['a', 'b', 'a', 'b']) missed(`in ${conversation}`, { conversation })
    await say('Hi')
    missed('later', { conversation: 'a' })
    await redeliver()
    expect(found.toSorted()).toEqual(['a', 'b'].map((id) => conversationIn(outage.sandbox, id).id).toSorted())
    const ids = outage.endpoint.messages().map(({ body }) => body.conversationId)
    expect(ids.toSorted()).toEqual(['a', 'a', 'a', 'b', 'b', 'tea'])
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
