import { describe, expect, it } from 'vitest'
import { messageBody, send } from '../harness/backend'
import {
  DAY,
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
    missedOnes(3)
    missed('perhaps', { delivery: 'unknown' })
    const answer = await redeliver(body, { unchecked: body === ' ' })
    expect(answer.status).toBe(200)
    expect(answer.body).toEqual({ delivered: 3, undelivered: 0, more: false })
    expect(texts()).toEqual(['1', '2', '3'])
    expect((await redeliver()).body).toEqual({ delivered: 0, undelivered: 0, more: false })
  })

  it('with delivery: unknown, what may have arrived', async () => {
    missed('perhaps', { delivery: 'unknown' })
    missed('failed')
    expect((await redeliver({ delivery: 'unknown' })).body).toEqual({ delivered: 1, undelivered: 0, more: false })
    expect(texts()).toEqual(['perhaps'])
    expect(marks()).toEqual({ perhaps: undefined, failed: 'failed' })
  })

  it('with a conversationId, what is in it', async () => {
    missed('a', { conversation: 'a' })
    missed('b', { conversation: 'b' })
    expect((await redeliver({ conversationId: 'b' })).body).toEqual({ delivered: 1, undelivered: 0, more: false })
    expect(texts()).toEqual(['b'])
    expect((await redeliver({ conversationId: 'none' })).status).toBe(404)
    expect(outage.sandbox.chat.conversations.findByTags({ id: 'none' })).toBeUndefined()
  })

  it('undelivered counts those that were tried and failed, more says whether others wait, reason is the last failure', async () => {
    missedOnes(45)
    outage.statusOf = (text) => (text === '2' ? 400 : text === '4' ? 503 : 204)
    const { body } = await redeliver()
    expect(body).toEqual({
      delivered: 2,
      undelivered: 2,
      more: true,
      reason: expect.stringMatching(/^The message msg_\w+ was not delivered in 1 try: .* answered 503\./),
    })
    outage.statusOf = () => 204
    expect((await redeliver()).body).toEqual({ delivered: 43, undelivered: 0, more: false })
    const rest = Array.from({ length: 41 }, (_, index) => `${index + 5}`)
    expect(texts()).toEqual(['1', '2', '3', '4', ...rest, '2', '4'])
  })

  it('if the last one ends it, no others wait', async () => {
    missed('1')
    outage.statusOf = () => 503
    expect((await redeliver()).body).toMatchObject({ delivered: 0, undelivered: 1, more: false })
  })

  it('brings messages of any age, the youngest too', async () => {
    missed('old', { ageMs: 30 * DAY })
    missed('young', { ageMs: 0 })
    expect((await redeliver()).body).toMatchObject({ delivered: 2 })
  })

  it('takes what fails while it works too, and what is delivered elsewhere meanwhile not again', async () => {
    const ones = missedOnes(45)
    outage.statusOf = (text) => {
      if (text === '1') {
        missed('new')
        outage.sandbox.chat.operations.updateMessage({ id: ones[40]!.id, tags: { delivery: '' } })
      }
      return 204
    }
    expect((await redeliver()).body).toMatchObject({ undelivered: 0, more: false })
    expect(texts().at(-1)).toBe('new')
  })

  it('out of time, says that others wait; asked again, it goes on with those that were not tried', async () => {
    missedOnes(30)
    outage.statusOf = (text) => {
      outage.sandbox.elapse(1000)
      return Number(text) <= 20 ? 400 : 204
    }
    const answers = []
    while (!texts().includes('30')) answers.push((await redeliver()).body)
    expect(answers[0]).toMatchObject({ delivered: 0, more: true, reason: expect.stringContaining('answered 400') })
    expect(answers[0].undelivered).toBeLessThanOrEqual(13)
    expect(texts().slice(0, 30)).toEqual(Array.from({ length: 30 }, (_, index) => `${index + 1}`))
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

  it('409 if the configuration has been broken since its registration, and why', async () => {
    missed('Hi')
    outage.sandbox.configure({ endpoint: outage.endpoint.url, signingSecret: 'secret' })
    const { status, body } = await redeliver()
    expect([status, body.detail]).toEqual([409, expect.stringContaining('The Signing Secret is malformed.')])
    expect(marks()).toEqual({ Hi: 'failed' })
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
      more: false,
    })
    expect([...used]).toEqual([`Bearer ${outage.sandbox.integrationToken}`])
  })

  it('502 or so if Botpress fails before anything is found; after that, what was done until then', async () => {
    missedOnes(30)
    const body = { id: 'err_1', code: 403, type: 'Forbidden', message: 'The reason' }
    outage.faultOf = ({ operation }) => (operation === 'listMessages' ? { answer: { status: 403, body } } : undefined)
    expect((await redeliver()).status).toBe(403)
    outage.faultOf = ({ operation }) =>
      operation === 'listMessages' && texts().length > 0 ? { answer: { status: 403, body } } : undefined
    expect((await redeliver()).body).toEqual({
      delivered: 30,
      undelivered: 0,
      more: true,
      reason: 'Botpress failed: The reason.',
    })
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
    missedOnes(45)
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
