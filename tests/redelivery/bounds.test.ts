import type { Message } from '@botpress/client'
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
  textOf,
  texts,
} from './outage'

beginAnewForEachTest()

const refusal = {
  answer: { status: 403, body: { id: 'err_1', code: 403, type: 'Forbidden', message: 'The reason' } },
}

describe('no message keeps others waiting', () => {
  it('ten good ones behind two that are answered 500 arrive at once', async () => {
    for (const text of ['bad 1', 'bad 2']) missed(text)
    missedOnes(10)
    outage.statusOf = (text) => (text.startsWith('bad') ? 500 : 204)
    await outage.sandbox.register()
    expect(texts()).toEqual(['bad 1', 'bad 2', ...Array.from({ length: 10 }, (_, index) => `${index + 1}`)])
    expect(failures()['bad 1']).toMatch(/^1 /)
  })

  it('hundreds that are refused do not starve five older ones', async () => {
    missedOnes(5)
    for (let index = 0; index < 300; index++) {
      missed(`refused ${index}`, { conversation: `c ${index % 150}`, failures: '3' })
    }
    outage.statusOf = (text) => {
      if (!text.startsWith('refused')) return 204
      outage.sandbox.elapse(1000)
      return 400
    }
    await outage.sandbox.register()
    expect(texts().slice(0, 5)).toEqual(['1', '2', '3', '4', '5'])
  })

  it('a thousand that are newer do not, however slowly Botpress lists them', { timeout: 60_000 }, async () => {
    missedOnes(5)
    const lastAt = new Date(Date.now() - DAY / 4).toISOString()
    for (let index = 0; index < 1000; index++) {
      missed(`refused ${index}`, { conversation: `c ${index % 500}`, failures: `4 ${lastAt}` })
    }
    outage.statusOf = (text) => (text.startsWith('refused') ? 400 : 204)
    outage.faultOf = ({ operation }) => (operation === 'listMessages' ? { delayMs: 200 } : undefined)
    expect((await redeliver()).body).toMatchObject({ delivered: 5, more: true })
    expect(texts().slice(0, 5)).toEqual(['1', '2', '3', '4', '5'])
  })

  it('one whose mark cannot be removed does not', async () => {
    const { id } = missed('bad')
    missedOnes(11)
    outage.faultOf = ({ operation, input }) =>
      operation === 'updateMessage' && input['id'] === id ? refusal : undefined
    expect((await redeliver()).body).toMatchObject({ delivered: 11, undelivered: 0 })
    expect(marks()).toMatchObject({ bad: 'failed', 1: undefined, 11: undefined })
  })

  it('a long conversation that Botpress lists slowly does not', { timeout: 60_000 }, async () => {
    for (let index = 0; index < 400; index++) missed(`${index}`, { conversation: 'long' })
    missed('other', { conversation: 'other' })
    outage.faultOf = ({ operation }) => (operation === 'listMessages' ? { delayMs: 500 } : undefined)
    expect((await redeliver()).body.delivered).toBeGreaterThan(100)
    expect(texts()).toContain('other')
  })

  it('those that failed in no redelivery yet come first, over all conversations; also after a count of 1.1', async () => {
    missed('counted by 1.1', { conversation: 'a', failures: '2' })
    missed('a', { conversation: 'a' })
    missed('b', { conversation: 'b' })
    await outage.sandbox.register()
    expect(texts().toSorted().slice(0, 2)).toEqual(['a', 'b'])
    expect(texts().at(-1)).toBe('counted by 1.1')
  })

  it.each([502, 503])(
    'one that crashes the endpoint (%i) ends a redelivery, and comes last in the next',
    async (status) => {
      for (const text of ['crash', 'b', 'c']) missed(text)
      outage.statusOf = (text) => (text === 'crash' ? status : 204)
      expect((await redeliver()).body).toMatchObject({ delivered: 0, undelivered: 1, more: true })
      expect((await redeliver()).body).toMatchObject({ delivered: 2, undelivered: 1, more: false })
      expect(texts()).toEqual(['crash', 'b', 'c', 'crash'])
      // It does not keep those waiting either that failed less often.
      for (const conversation of ['tea', 'later']) missed(conversation, { conversation, failures: '1' })
      expect((await redeliver()).body).toMatchObject({ delivered: 2, undelivered: 1, more: false })
    }
  )

  it('one on which the endpoint breaks off the connection is counted, and the next is tried', async () => {
    for (const text of ['breaks off', 'b']) missed(text)
    const breaking = await endpointForTest((response, { body }) => {
      if (textOf(body) === 'breaks off') response.socket!.resetAndDestroy()
      else response.writeHead(204).end()
    })
    outage.sandbox.configure({ endpoint: breaking.url })
    expect((await redeliver()).body).toMatchObject({ delivered: 1, undelivered: 1, more: false })
    expect(failures()['breaks off']).toMatch(/^1 /)
  })

  it('no connection and 429 are no fault of the message: they end it, and are not counted', async () => {
    for (const text of ['1', '2']) missed(text)
    outage.statusOf = () => 429
    expect((await redeliver()).body).toMatchObject({ delivered: 0, undelivered: 1, more: true })
    expect(texts()).toEqual(['1'])
    await outage.endpoint.close()
    expect((await redeliver()).body).toMatchObject({ delivered: 0, undelivered: 1, more: true })
    expect(failures()).toEqual({ 1: '0', 2: '0' })
  })

  it('a conversation that cannot be read is passed over; the messages of one that is gone lose their mark', async () => {
    const [secret, gone, nameless] = ['secret', 'gone', 'nameless'].map((conversation) =>
      missed(conversation, { conversation })
    )
    missed('good')
    outage.sandbox.chat.conversations.delete(gone!.conversationId)
    outage.sandbox.chat.operations.updateConversation({ id: nameless!.conversationId, tags: { id: '' } })
    outage.faultOf = ({ operation, input }) =>
      operation === 'getConversation' && input['id'] === secret!.conversationId ? refusal : undefined
    expect((await redeliver()).body).toEqual({
      delivered: 1,
      undelivered: 0,
      more: true,
      reason: 'Botpress failed: The reason.',
    })
    expect(texts()).toEqual(['good'])
    expect(marks()).toEqual({ secret: 'failed', gone: undefined, nameless: undefined, good: undefined })
  })

  it('nor one whose messages Botpress does not list', async () => {
    missed('secret', { conversation: 'secret' })
    // More than a page: what is on the only one is not listed again.
    missedOnes(20)
    const { id } = conversationIn(outage.sandbox, 'secret')
    outage.faultOf = ({ operation, input }) =>
      operation === 'listMessages' && input['conversationId'] === id ? refusal : undefined
    expect((await redeliver()).body).toEqual({ delivered: 21, undelivered: 0, more: false })
  })

  it('one whose messages Botpress cannot list now is passed over, and waits', async () => {
    // More than a page: what is on the only one is not listed again.
    for (let count = 0; count < 21; count++) missed(`failing ${count}`, { conversation: 'failing' })
    missed('good')
    const { id } = conversationIn(outage.sandbox, 'failing')
    outage.faultOf = ({ operation, input }) =>
      operation === 'listMessages' && input['conversationId'] === id ? { answer: { status: 503 } } : undefined
    expect((await redeliver()).body).toMatchObject({
      delivered: 1,
      more: true,
      reason: expect.stringMatching(/Botpress failed: .*503/),
    })
    expect(texts()).toEqual(['good'])
  })

  it('a message that is deleted meanwhile does not stop the rest', async () => {
    const ones = missedOnes(45)
    outage.statusOf = (text) => {
      if (Number(text) % 10 === 1) outage.sandbox.chat.messages.delete(ones[Number(text) - 1]!.id)
      return Number(text) % 20 === 1 ? 500 : 204
    }
    expect((await redeliver()).body).toMatchObject({ delivered: 42, undelivered: 3, more: false })
    expect(outage.logged.join('\n')).not.toMatch(/could not be marked/)
  })
})

describe('a try of a redelivery that fails', () => {
  it('504, so that it may have arrived, is marked unknown and counted, and ends it', async () => {
    for (const text of ['1', '2']) missed(text)
    outage.statusOf = () => 504
    expect((await redeliver()).body).toMatchObject({ delivered: 0, undelivered: 1, more: true })
    expect(marks()).toEqual({ 1: 'unknown', 2: 'failed' })
    expect(failures()[1]).toMatch(/^1 /)
  })

  it('unknown never becomes failed', async () => {
    missed('1', { delivery: 'unknown' })
    outage.statusOf = () => 400
    expect((await redeliver({ delivery: 'unknown' })).body).toMatchObject({ undelivered: 1 })
    expect(marks()).toEqual({ 1: 'unknown' })
  })
})

describe('the time of a redelivery', () => {
  it.each(['by itself', 'on request'])('%s, a try begins only in the first 12 s of a call', async (how) => {
    missedOnes(20)
    outage.statusOf = (text) => {
      if (Number(text)) outage.sandbox.elapse(1000)
      return 204
    }
    const redeliverOnce = () => (how === 'by itself' ? say('a') : redeliver())
    await redeliverOnce()
    const tried = texts().filter((text) => Number(text)).length
    expect(tried).toBeGreaterThan(8)
    expect(tried).toBeLessThanOrEqual(12)
    // Out of time, it goes on at once.
    await redeliverOnce()
    expect(texts().filter((text) => Number(text))).toHaveLength(20)
  })

  it('a call that has used its first 12 s for its own message starts none', async () => {
    missed('1')
    outage.statusOf = (text) => {
      if (text === 'a') outage.sandbox.elapse(12_000)
      return 204
    }
    await say('a')
    expect(outage.events).toEqual(['try a'])
    await say('b')
    expect(texts()).toEqual(['a', 'b', '1'])
  })

  it('ends when Botpress removes no marks: all would come again', async () => {
    missedOnes(45)
    outage.faultOf = ({ operation, input }) =>
      operation === 'updateMessage' && Object(input['tags']).delivery === '' ? refusal : undefined
    expect((await redeliver()).body).toEqual({
      delivered: 0,
      undelivered: 0,
      more: true,
      reason: 'Botpress could not remove the mark of a message that was delivered.',
    })
    expect(texts()).toEqual(['1', '2'])
  })

  it('what its own call has delivered since it was listed is not sent again', async () => {
    missed('1', { ageMs: 2000 })
    const { id } = missed('2', { ageMs: 1000 })
    outage.statusOf = () => {
      outage.sandbox.chat.operations.updateMessage({ id, tags: { delivery: '', redeliveryFailures: '' } })
      return 204
    }
    expect((await redeliver()).body).toEqual({ delivered: 1, undelivered: 0, more: false })
    expect(texts()).toEqual(['1'])
  })

  it('what Botpress lists though its mark is gone is not sent again', async () => {
    missedOnes(3)
    const lagging: Message[] = outage.sandbox.chat.messages.all()
    await redeliver()
    outage.faultOf = ({ operation }) => {
      if (operation !== 'listMessages') return undefined
      const messages = lagging.map(({ id }) => outage.sandbox.chat.messages.get(id))
      return { answer: { status: 200, body: { messages, meta: {} } } }
    }
    expect((await redeliver()).body).toEqual({ delivered: 0, undelivered: 0, more: false })
    expect(texts()).toHaveLength(3)
  })

  it('a mark is written also if Botpress asks for more patience than there is', async () => {
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
