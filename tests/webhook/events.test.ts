import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { BotInput } from '../../sandbox/bot/bot'
import type { ApiCall, Fault } from '../../sandbox/cloud/chat/chat-api'
import { type Sandbox, startSandbox } from '../../sandbox/sandbox'
import { send } from '../harness/backend'
import { FOREIGN_TOKEN, installationForTest } from '../harness/for-test'

let sandbox: Sandbox
let heard: BotInput[] = []
let calls: ApiCall[] = []
let faultOf = (_call: ApiCall): Fault | undefined => undefined
let number = 0

beforeAll(async () => {
  sandbox = await startSandbox({
    maxInstances: 3,
    foreignTokens: [FOREIGN_TOKEN],
    bot: (input) => void heard.push(input),
    onApiCall: (call) => {
      calls.push(call)
      return faultOf(call)
    },
  })
  return sandbox.close
})

beforeEach(() => {
  heard = []
  calls = []
  faultOf = () => undefined
})

const eventBody = (fields: Record<string, unknown> = {}): Record<string, unknown> => ({
  conversationId: `conversation ${++number}`,
  type: 'order_paid',
  ...fields,
})

const tell = async (body: unknown, how: Parameters<typeof send>[2] = {}) => {
  const answer = await send(sandbox, body, { path: '/events', ...how })
  await sandbox.settled()
  return answer
}

const operations = () => calls.map(({ operation }) => operation)

const eventsOf = (conversationId: unknown) =>
  sandbox.chat.events.all().filter(({ payload }) => payload['conversationId'] === conversationId)

describe('POST {webhook URL}/events', () => {
  it('gives the bot an event custom, linked to the conversation and the user, and answers 200 with the three', async () => {
    const body = eventBody({ userId: 'ada', payload: { order: 42 }, eventId: 'e1' })
    const { status, body: answer } = await tell(body)
    const { event, conversation, user } = answer
    expect([status, Object.keys(answer)]).toEqual([200, ['event', 'conversation', 'user']])
    expect(event).toEqual(sandbox.chat.events.get(event.id))
    expect(event).toMatchObject({ type: 'custom', payload: body, conversationId: conversation.id, userId: user.id })
    expect(conversation).toMatchObject({ channel: 'channel', tags: { id: body['conversationId'] } })
    expect(user.tags).toEqual({ id: 'ada' })
    expect(heard).toEqual([
      {
        type: 'order_paid',
        payload: { order: 42 },
        conversationId: body['conversationId'],
        userId: 'ada',
        event: { eventId: 'e1' },
      },
    ])
  })

  it('needs no user; the bot may write first into the conversation', async () => {
    const demo = await installationForTest()
    const body = eventBody({ conversationId: 'new' })
    const { body: answer } = await send(demo, body, { path: '/events' })
    await demo.settled()
    expect(answer.user).toBeUndefined()
    expect(answer.event).not.toHaveProperty('userId')
    expect(demo.chat.messages.all()).toMatchObject([
      {
        direction: 'outgoing',
        conversationId: answer.conversation.id,
        payload: { text: 'You told me of the event order_paid.' },
      },
    ])
  })

  it.each([[undefined], [null], [''], [[]]])('a payload %j counts as missing, and is {}', async (payload) => {
    const { body } = await tell(eventBody({ payload }), { unchecked: true })
    expect(body.event.payload.payload).toEqual({})
  })

  it('keys such as __proto__ arrive, and characters of any kind', async () => {
    const payload = '{"__proto__":{"a":1},"constructor":{"prototype":2},"text":"👩‍👩‍👧 \\u0000 \\ud83d"}'
    const body = `{"conversationId":"odd keys","type":"__proto__","eventId":"constructor","payload":${payload}}`
    const { status } = await tell(body)
    expect(status).toBe(200)
    expect(JSON.stringify(heard[0]!.payload)).toBe(JSON.stringify(JSON.parse(payload)))
    expect(heard[0]).toMatchObject({ type: '__proto__', event: { eventId: 'constructor' } })
  })

  it('the type never becomes Botpress’s own', async () => {
    const { body } = await tell(eventBody({ type: 'message_created' }))
    expect(body.event).toMatchObject({ type: 'custom', payload: { type: 'message_created' } })
  })

  it.each([
    [{ conversationId: '' }, ['conversationId']],
    [{ conversationId: 'x'.repeat(501), type: 'x'.repeat(201) }, ['conversationId', 'type']],
    [{ conversationId: '\ud83d' }, ['conversationId']],
    [{ type: undefined }, ['type']],
    [{ userId: '', eventId: '' }, ['userId', 'eventId']],
    [{ userId: 5, eventId: 'x'.repeat(501) }, ['userId', 'eventId']],
    [{ payload: 'text' }, ['payload']],
    [{ payload: [1] }, ['payload']],
  ])('%.60j is 400, with each wrong field, and asks nothing of Botpress', async (fields, paths) => {
    const { status, body } = await tell(eventBody(fields), { unchecked: true })
    expect([status, body.errors.map(({ path }: { path: string }) => path)]).toEqual([400, paths])
    expect(calls).toEqual([])
  })

  it('a payload of a thousand levels is taken, and a deeper one refused', async () => {
    const nested = (depth: number) =>
      `{"conversationId":"deep","type":"x","payload":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}`
    expect((await tell(nested(1000))).status).toBe(200)
    expect((await tell(nested(1001))).status).toBe(400)
    expect((await tell(nested(100_000))).status).toBe(400)
  })

  it('takes a form too', async () => {
    const form = new URLSearchParams({ conversationId: 'form', type: 'paid "now"\n', payload: '{"order":[1]}' })
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const { status } = await tell(form.toString(), { headers, unchecked: true })
    expect([status, heard]).toEqual([200, [expect.objectContaining({ type: 'paid "now"\n', payload: { order: [1] } })]])
    const { body } = await tell('conversationId=form&type=&type=a', { headers, unchecked: true })
    expect(body).toMatchObject({ status: 400, detail: expect.stringMatching(/read as a form.*: type\.$/) })
  })

  it('is 401 without a credential or with a foreign one, 405 for a GET, 404 below it', async () => {
    expect((await tell(eventBody(), { authorization: null })).status).toBe(401)
    expect((await tell(eventBody(), { authorization: `Bearer ${FOREIGN_TOKEN}` })).status).toBe(403)
    const { status, headers } = await tell(undefined, { method: 'GET' })
    expect([status, headers.get('allow')]).toEqual([405, 'POST'])
    expect((await tell(eventBody(), { path: '/events/x' })).status).toBe(404)
    expect(heard).toEqual([])
  })

  it('Botpress’s refusals are passed on: a payload that is too large', async () => {
    const { status, body } = await tell(eventBody({ payload: { text: 'x'.repeat(2 * 1024 * 1024) } }))
    expect([status, body.detail]).toEqual([413, expect.stringMatching(/^Botpress refused the request: /)])
  })
})

describe('what an event costs', () => {
  it('is one call for a known conversation and user, and with an eventId one more', async () => {
    const seen: string[] = []
    const onApiCall = ({ operation }: ApiCall) => void seen.push(operation)
    const installation = await installationForTest({ maxInstances: 1, onApiCall })
    const body = eventBody({ userId: 'ada' })
    await send(installation, body, { path: '/events' })
    seen.length = 0
    await send(installation, body, { path: '/events' })
    expect(seen.splice(0)).toEqual(['createEvent'])
    await send(installation, { ...body, eventId: '1' }, { path: '/events' })
    expect(seen).toEqual(['listEvents', 'createEvent'])
  })
})

describe('a conversation or a user that was deleted meanwhile', () => {
  it.each(['deleteConversation', 'deleteUser'] as const)('is made again: %s', async (operation) => {
    const installation = await installationForTest({ maxInstances: 1 })
    const body = eventBody({ userId: 'ada', eventId: 'e' })
    const { body: first } = await send(installation, body, { path: '/events' })
    const gone = operation === 'deleteUser' ? first.user.id : first.conversation.id
    installation.chat.operations[operation]({ id: gone })
    const { status, body: second } = await send(installation, { ...body, eventId: 'e2' }, { path: '/events' })
    expect(status).toBe(200)
    expect(second.event).toMatchObject({ conversationId: second.conversation.id, userId: second.user.id })
    expect([second.conversation.id, second.user.id]).not.toContain(gone)
  })
})

describe('an event that is sent again', () => {
  it('with the same eventId in the same conversation is answered in place of a new one, by every instance', async () => {
    const body = eventBody({ userId: 'ada', eventId: 'paid-42', payload: { order: 42 } })
    const { body: first } = await tell(body)
    for (let instance = 0; instance < 3; instance++) {
      await sandbox.endInstance()
      const { status, body: again } = await tell({ ...body, payload: { order: 43 } })
      expect([status, again.event]).toEqual([200, first.event])
    }
    expect(eventsOf(body['conversationId'])).toHaveLength(1)
    expect(heard).toHaveLength(1)
  })

  it('makes no user, and answers with the user of the event, if there still is one', async () => {
    const body = eventBody({ userId: 'ada of the event', eventId: 'e' })
    const { body: first } = await tell(body)
    const { body: again } = await tell({ ...body, userId: 'nobody' })
    expect([again.event, again.user]).toEqual([first.event, first.user])
    sandbox.chat.operations.deleteUser({ id: first.user.id })
    expect((await tell(body)).body).toEqual({ event: first.event, conversation: first.conversation })
    const ids = sandbox.chat.users.all().map(({ tags }) => tags['id'])
    expect(ids).not.toContain('nobody')
    expect(ids).not.toContain('ada of the event')
  })

  it('is looked for among the last 20 of the conversation', async () => {
    const body = eventBody({ eventId: 'old' })
    const { body: first } = await tell(body)
    const conversationId = body['conversationId']
    for (let index = 0; index < 19; index++) await tell(eventBody({ conversationId }))
    expect((await tell(body)).body.event.id).toBe(first.event.id)
    await tell(eventBody({ conversationId }))
    expect((await tell(body)).body.event.id).not.toBe(first.event.id)
  })

  it('is another one in another conversation, with another eventId, or without one', async () => {
    const body = eventBody({ eventId: '1' })
    const ids = new Set<string>()
    for (const one of [body, { ...body, eventId: '2' }, eventBody({ eventId: '1' })])
      ids.add((await tell(one)).body.event.id)
    const without = eventBody({ conversationId: body['conversationId'] })
    for (const one of [without, without]) ids.add((await tell(one)).body.event.id)
    expect(ids.size).toBe(5)
  })
})

describe('where Botpress fails', () => {
  const failOn = (operation: string, times: number, fault: Fault) => {
    let left = times
    faultOf = (call) => (call.operation === operation && left-- > 0 ? fault : undefined)
  }
  const createEvents = () => operations().filter((operation) => operation === 'createEvent').length

  it('what it certainly did not take is tried again: 429, as late as it asks', async () => {
    failOn('createEvent', 1, { answer: { status: 429, headers: { 'retry-after': '1' } } })
    const start = performance.now()
    const body = eventBody()
    expect((await tell(body)).status).toBe(200)
    expect(performance.now() - start).toBeGreaterThan(990)
    expect(eventsOf(body['conversationId'])).toHaveLength(1)
  })

  it.each<[string, Fault]>([
    ['500', { answer: { status: 500 } }],
    ['503', { answer: { status: 503 } }],
    ['504', { answer: { status: 504 } }],
    ['520, of a gateway', { answer: { status: 520 } }],
    ['an answer without an event', { answer: { status: 200, body: {} } }],
    ['a page', { answer: { status: 200, headers: { 'content-type': 'text/html' }, body: '<p>' } }],
    ['a connection reset after the event was taken', { reset: 'after write' }],
  ])('what leaves it open is 502, and not tried again: %s', async (_what, fault) => {
    failOn('createEvent', 1, fault)
    const body = eventBody({ eventId: 'once' })
    const { status, body: answer } = await tell(body)
    expect([status, createEvents()]).toEqual([502, 1])
    expect(answer.detail).toMatch(
      /^Botpress failed, and may have taken the event: .* Send it again with its eventId\.$/
    )
    expect((await tell(body)).status).toBe(200)
    // Also the one that Botpress had taken.
    expect(eventsOf(body['conversationId'])).toHaveLength(1)
  })

  it('without an eventId, the answer says what sending again does', async () => {
    failOn('createEvent', 1, { reset: 'before write' })
    const { status, body } = await tell(eventBody())
    expect([status, body.detail]).toEqual([502, expect.stringMatching(/may come twice; an eventId prevents that\.$/)])
  })

  it('before the event is made, what may pass is tried again', async () => {
    for (const operation of ['getOrCreateConversation', 'getOrCreateUser', 'listEvents']) {
      failOn(operation, 1, { answer: { status: 500 } })
      const body = eventBody({ userId: `user ${++number}`, eventId: 'e' })
      expect((await tell(body)).status).toBe(200)
      expect(eventsOf(body['conversationId'])).toHaveLength(1)
    }
  })

  it.each([400, 402, 403, 413])('a refusal is passed on, and not tried again: %i', async (status) => {
    failOn('createEvent', 1, { answer: { status, body: { id: 'e', code: status, type: 'x', message: 'Because' } } })
    const { status: answered, body } = await tell(eventBody())
    expect([answered, body.detail, createEvents()]).toEqual([status, 'Botpress refused the request: Because', 1])
  })
})
