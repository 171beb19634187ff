import { describe, expect, it } from 'vitest'
import { messageBody, send } from '../harness/backend'
import {
  beginAnewForEachTest,
  conversationIn,
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
    expect(outage.sandbox.chat.conversations.findByTags({ id: 'none' })).toBeUndefined()
  })

  it('counts those that were found and are not delivered, and gives the last failure as the reason', async () => {
    await missedOnes(45)
    outage.statusOf = (text) => (text === '2' ? 400 : text === '4' ? 503 : 204)
    const { body } = await redeliver()
    expect(body).toEqual({
      delivered: 2,
      undelivered: 43,
      reason: expect.stringMatching(/^The message msg_\w+ was not delivered in 1 try: .* answered 503\./),
    })
    outage.statusOf = () => 204
    expect((await redeliver()).body).toEqual({ delivered: 43, undelivered: 0 })
    expect(texts()).toEqual(['1', '2', '3', '4', '2', ...Array.from({ length: 42 }, (_, index) => `${index + 4}`)])
  })

  it('asks for each page twice at the most, and gets each message once', async () => {
    await missedOnes(130)
    const { body } = await redeliver()
    expect(body).toEqual({ delivered: 130, undelivered: 0 })
    expect(texts()).toEqual(Array.from({ length: 130 }, (_, index) => `${index + 1}`))
    expect(outage.events.filter((event) => event.startsWith('look')).length).toBeLessThanOrEqual(14)
  })

  it('takes what fails while it works too, and what is delivered elsewhere meanwhile not again', async () => {
    const ones = await missedOnes(45)
    outage.statusOf = (text) => {
      if (text === '1') {
        missed('new')
        outage.sandbox.chat.operations.updateMessage({ id: ones[40]!.id, tags: { delivery: '' } })
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
    outage.statusOf = (text) => {
      outage.sandbox.elapse(1000)
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
    outage.statusOf = () => 204
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
    expect(outage.events).toEqual([])
  })

  it('401 without a credential, 403 with one of another bot: nothing is sent', async () => {
    missed('Hi')
    const other = await outage.sandbox.install({ token: 'bp_pat_other' })
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
    outage.faultOf = ({ headers }) => void used.add(headers.authorization)
    missed('a', { conversation: 'a' })
    await redeliver({ conversationId: 'a' })
    expect([...used]).toEqual([`Bearer ${outage.sandbox.token}`])
    used.clear()
    const accessKey = 'k'.repeat(32)
    outage.sandbox.configure({ endpoint: outage.endpoint.url, accessKey })
    missed('b')
    expect((await redeliver({}, { authorization: `Bearer ${accessKey}` })).body).toEqual({
      delivered: 1,
      undelivered: 0,
    })
    expect([...used]).toEqual([`Bearer ${outage.sandbox.integrationToken}`])
  })

  it('502 where Botpress fails before anything is found; after that, what was done until then', async () => {
    await missedOnes(30)
    const body = { id: 'err_1', code: 403, type: 'Forbidden', message: 'The reason' }
    outage.faultOf = ({ operation }) => (operation === 'listMessages' ? { answer: { status: 403, body } } : undefined)
    expect((await redeliver()).status).toBe(403)
    let looks = 0
    outage.faultOf = ({ operation }) =>
      operation === 'listMessages' && ++looks > 2 ? { answer: { status: 403, body } } : undefined
    expect((await redeliver()).body).toEqual({ delivered: 10, undelivered: 20, reason: 'Botpress failed: The reason.' })
  })
})

describe('GET {webhook URL}/messages?delivery=', () => {
  const read = (query: Record<string, string>) =>
    send(outage.sandbox, undefined, { method: 'GET', path: `/messages?${new URLSearchParams(query)}` })

  it('failed: what has not reached the endpoint, newest first, over all conversations; unknown: what may have', async () => {
    missed('1', { conversation: 'a' })
    missed('2', { conversation: 'b' })
    missed('3', { conversation: 'a', delivery: 'unknown' })
    await send(outage.sandbox, messageBody({ text: 'silent' }))
    const failed = await read({ delivery: 'failed' })
    expect(failed.body.messages.map((message: object) => textOf(message))).toEqual(['2', '1'])
    expect(failed.body.messages[0]).toEqual({
      type: 'text',
      payload: { text: '2' },
      conversationId: 'b',
      botpressUserId: expect.any(String),
      botpressMessageId: expect.any(String),
      botpressConversationId: conversationIn(outage.sandbox, 'b').id,
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
    outage.sandbox.chat.conversations.delete(conversationId)
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
