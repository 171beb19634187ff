import { describe, expect, it } from 'vitest'
import { endpointForTest } from '../harness/for-test'
import {
  DAY,
  MINUTE,
  beginAnewForEachTest,
  marks,
  missed,
  missedOnes,
  outage,
  redeliver,
  say,
  textOf,
  texts,
} from './outage'

beginAnewForEachTest()

describe('the bounds of a redelivery by itself', () => {
  const refusal = {
    answer: { status: 403, body: { id: 'err_1', code: 403, type: 'Forbidden', message: 'The reason' } },
  }

  it('where nobody listens, it is no fault of the message: the others are not tried', async () => {
    for (const text of ['1', '2']) missed(text)
    await outage.endpoint.close()
    for (let asked = 0; asked < 3; asked++) {
      expect((await redeliver()).body).toMatchObject({ delivered: 0, undelivered: 2 })
    }
    expect(outage.sandbox.chat.messages.all().map(({ tags }) => tags)).toEqual([
      { delivery: 'failed' },
      { delivery: 'failed' },
    ])
  })

  it('nor where the endpoint asks for patience', async () => {
    for (const text of ['1', '2']) missed(text)
    outage.statusOf = () => 429
    for (let asked = 0; asked < 3; asked++) await redeliver()
    expect(texts()).toEqual(['1', '1', '1'])
  })

  it('a message on which the endpoint breaks off the connection holds up the others twice', async () => {
    for (const text of ['breaks off', 'b', 'c']) missed(text)
    const breaking = await endpointForTest((response, { body }) => {
      if (textOf(body) === 'breaks off') response.socket!.resetAndDestroy()
      else response.writeHead(204).end()
    })
    outage.sandbox.configure({ endpoint: breaking.url })
    expect((await redeliver()).body).toMatchObject({ delivered: 0, undelivered: 3 })
    expect((await redeliver()).body).toMatchObject({ delivered: 0, undelivered: 3 })
    expect((await redeliver()).body).toMatchObject({ delivered: 2, undelivered: 1 })
  })

  it('what is just within three days is sent again', async () => {
    missed('1')
    outage.sandbox.elapse(3 * DAY - MINUTE)
    await say('a')
    expect(texts()).toEqual(['a', '1'])
  })

  it('begins no try after 20 s, and goes on behind what it has tried', async () => {
    await missedOnes(50)
    outage.statusOf = (text) => {
      if (Number(text)) outage.sandbox.elapse(1000)
      return Number(text) <= 30 ? 400 : 204
    }
    await say('a')
    const tried = texts().length - 1
    expect(tried).toBeGreaterThan(10)
    expect(tried).toBeLessThanOrEqual(21)
    outage.sandbox.elapse(5 * MINUTE)
    await say('b')
    expect(texts()[tried + 2]).toBe(String(tried + 1))
  })

  it('is not begun in a call that has no time left for it', async () => {
    missed('1')
    outage.statusOf = (text) => {
      if (text === 'a') outage.sandbox.elapse(36_000)
      return 204
    }
    await say('a')
    expect(outage.events).toEqual(['try a'])
    await say('b')
    expect(texts()).toEqual(['a', 'b', '1'])
  })

  it('does not look once more after one that has tried all, nor while another has the lease', async () => {
    outage.statusOf = (text) => (text === 'refused' ? 400 : 204)
    await say('refused')
    await say('a')
    outage.events = []
    await say('b')
    expect(outage.events).toEqual(['try b'])
    const until = new Date(Date.now() + 20_000).toISOString()
    const { id } = missed('1')
    outage.sandbox.chat.operations.updateMessage({ id, tags: { redelivery: `${until} another` } })
    await outage.sandbox.endInstance()
    await say('c')
    outage.events = []
    await say('d')
    expect(outage.events).toEqual(['try d'])
  })

  it('a request does not wait for a lease', async () => {
    const { id } = missed('1')
    const until = new Date(Date.now() + 20_000).toISOString()
    outage.sandbox.chat.operations.updateMessage({ id, tags: { redelivery: `${until} another` } })
    expect((await redeliver()).body).toEqual({ delivered: 1, undelivered: 0 })
  })

  it('a lease is seen also where it is not on the oldest page', async () => {
    for (let number = 1; number <= 30; number++) missed(`${number}`)
    const until = new Date(Date.now() + 20_000).toISOString()
    const { id } = outage.sandbox.chat.messages.all().at(-1)!
    outage.sandbox.chat.operations.updateMessage({ id, tags: { redelivery: `${until} another` } })
    await say('a')
    expect(texts()).toEqual(['a'])
  })

  it('without a lease that can be written, nothing is redelivered by itself', async () => {
    missed('1')
    outage.faultOf = ({ operation }) => (operation === 'updateMessage' ? refusal : undefined)
    await say('a')
    expect(texts()).toEqual(['a'])
    expect(outage.logged.join('\n')).toMatch(/The message msg_\w+ could not be tagged: The reason\./)
  })

  it('ends after a page where Botpress takes no marks away', async () => {
    await missedOnes(45)
    outage.faultOf = ({ operation, input }) =>
      operation === 'updateMessage' && Object(input['tags']).delivery === '' ? refusal : undefined
    const { body } = await redeliver()
    expect(texts().length).toBeLessThanOrEqual(20)
    expect(body).toMatchObject({ delivered: texts().length })
  })

  it('what was delivered by a further try and could not be unmarked is not delivered again, also after a registration', async () => {
    let tries = 0
    outage.statusOf = () => (++tries === 1 ? 503 : 204)
    outage.faultOf = ({ operation, input }) =>
      operation === 'updateMessage' && Object(input['tags']).delivery === '' ? refusal : undefined
    await say('a')
    outage.faultOf = () => undefined
    await outage.sandbox.register()
    await redeliver()
    expect(texts()).toEqual(['a', 'a'])
    expect(marks()).toEqual({ a: undefined })
  })

  it('what was interrupted goes on behind what it has tried, but not at another address', async () => {
    await missedOnes(20)
    outage.statusOf = () => {
      outage.sandbox.elapse(1000)
      return 400
    }
    await redeliver()
    expect(texts().length).toBeLessThan(20)
    const moved = await endpointForTest()
    outage.sandbox.configure({ endpoint: moved.url })
    expect((await redeliver()).body).toEqual({ delivered: 20, undelivered: 0 })
  })

  it('on request, looking takes no more than a part of the time, and no try is begun without time for it', async () => {
    await missedOnes(100)
    outage.faultOf = ({ operation }) => {
      if (operation === 'listMessages') outage.sandbox.elapse(3000)
      return undefined
    }
    const { body } = await redeliver()
    expect(body.delivered).toBeGreaterThan(0)
    outage.faultOf = ({ operation }) => {
      if (operation === 'listMessages') outage.sandbox.elapse(10_000)
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
    outage.faultOf = ({ operation }) => (operation === 'updateMessage' && left-- > 0 ? busy : undefined)
    outage.statusOf = () => 400
    await say('a')
    expect(marks()).toEqual({ a: 'failed' })
  })
})

describe('while the endpoint is known to be down', () => {
  const tries = () => outage.events.filter((event) => event.startsWith('try'))

  it('a message gets one try; after a success or a minute it is patient again', async () => {
    outage.statusOf = () => 503
    await say('a')
    await say('b')
    await say('c')
    expect(tries()).toEqual(['try a', 'try a', 'try a', 'try a', 'try b', 'try c'])
    expect(marks()).toEqual({ a: 'failed', b: 'failed', c: 'failed' })
    outage.events = []
    outage.sandbox.elapse(MINUTE - 5000)
    await say('c2')
    expect(tries()).toEqual(['try c2'])
    outage.events = []
    outage.sandbox.elapse(MINUTE)
    await say('d')
    expect(tries()).toEqual(Array(4).fill('try d'))
    outage.statusOf = () => 204
    await say('e')
    expect(texts().slice(-6)).toEqual(['e', 'a', 'b', 'c', 'c2', 'd'])
    outage.events = []
    let first = true
    outage.statusOf = () => {
      const status = first ? 503 : 204
      first = false
      return status
    }
    await say('f')
    expect(tries()).toEqual(['try f', 'try f'])
  })

  it('not by what it refuses for good, and not at another address', async () => {
    let left = 0
    outage.statusOf = (text) => (text === 'refused' ? 400 : left-- > 0 ? 503 : 204)
    await say('refused')
    left = 1
    expect((await say('a')).status).toBe(200)
    left = 4
    expect((await say('b')).status).toBe(400)
    const moved = await endpointForTest((response) => response.writeHead(left-- > 0 ? 503 : 204).end())
    outage.sandbox.configure({ endpoint: moved.url })
    left = 1
    expect((await say('c')).status).toBe(200)
    expect(texts(moved).slice(0, 2)).toEqual(['c', 'c'])
  })
})
