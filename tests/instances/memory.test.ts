import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Installation } from '../../sandbox/cloud/installation'
import { messageBody, send } from '../harness/backend'
import { endpointForTest, FOREIGN_TOKEN, installationForTest, sandboxForTest } from '../harness/for-test'
import { watchApiCalls } from '../harness/api-calls'

const api = watchApiCalls()
let sandbox: Installation

beforeEach(async () => {
  sandbox = await installationForTest({
    bot: () => [],
    onApiCall: api.onApiCall,
  })
})

const BAD_TOKENS = [
  ['unknown', 'bp_pat_unknown', 401],
  ['of another workspace', FOREIGN_TOKEN, 403],
  ['missing', '', 401],
] as const

describe('what a message costs', () => {
  it('the first: the conversation and the user side by side, then the message', async () => {
    const delayMs = 1000
    api.faultOf = () => ({ delayMs })
    await send(sandbox, messageBody())
    expect(api.operations().toSorted()).toEqual(['getOrCreateConversation', 'getOrCreateMessage', 'getOrCreateUser'])
    expect(api.operations()[2]).toBe('getOrCreateMessage')
    const [first, second, third] = api.calls.map(({ at }) => at) as [number, number, number]
    expect(second - first).toBeLessThan(delayMs)
    expect(third - second).toBeGreaterThan(delayMs - 5)
  })

  it('a later one of a known conversation and user: one call', async () => {
    const body = messageBody()
    const first = await send(sandbox, body)
    api.calls = []
    const later = await send(sandbox, { ...body, messageId: 'later' })
    expect(api.operations()).toEqual(['getOrCreateMessage'])
    expect(later.status).toBe(200)
    expect(later.body.conversation).toEqual(first.body.conversation)
    expect(later.body.user).toEqual(first.body.user)
    expect(later.body.message.id).not.toBe(first.body.message.id)
  })

  it('a known user in a new conversation: the conversation is looked up, the user is not', async () => {
    const body = messageBody()
    await send(sandbox, body)
    api.calls = []
    await send(sandbox, { ...body, conversationId: 'new' })
    expect(api.operations()).toEqual(['getOrCreateConversation', 'getOrCreateMessage'])
  })

  it('another installation in the same bot: nothing that is remembered of the first', async () => {
    const another = await installationForTest({ inBotOf: sandbox, token: 'bp_pat_other' })
    const body = messageBody()
    await send(sandbox, body)
    api.calls = []
    await send(another, body)
    expect(api.operations().toSorted()).toEqual(['getOrCreateConversation', 'getOrCreateMessage', 'getOrCreateUser'])
  })

  it('at most two connections to Botpress for 20 messages one after another', async () => {
    const body = messageBody()
    for (let count = 0; count < 20; count++) await send(sandbox, { ...body, messageId: `${count}` })
    expect(api.calls).toHaveLength(22)
    expect(new Set(api.calls.map(({ connection }) => connection)).size).toBeLessThanOrEqual(2)
  })

  it('one connection to the endpoint for 20 messages of the bot', async () => {
    const endpoint = await endpointForTest((response) => response.writeHead(200).end('thanks'))
    const talkative = await sandboxForTest({ endpoint: endpoint.url, maxInstances: 1 })
    await send(talkative, messageBody({ text: 'burst 20' }))
    await talkative.settled()
    expect(endpoint.messages()).toHaveLength(20)
    expect(endpoint.connections()).toBe(1)
  })
})

describe('the user’s name and picture', () => {
  it('cost a call only where they differ from what the user has', async () => {
    const body = messageBody()
    const user = { name: 'Ada', pictureUrl: 'https://example.com/ada.png' }
    await send(sandbox, { ...body, user })
    api.calls = []
    await send(sandbox, { ...body, messageId: 'same', user })
    await send(sandbox, { ...body, messageId: 'none' })
    expect(api.operations()).toEqual(['getOrCreateMessage', 'getOrCreateMessage'])
    api.calls = []
    await send(sandbox, { ...body, messageId: 'another', user: { ...user, name: 'Countess' } })
    expect(api.operations()).toEqual(['updateUser', 'getOrCreateMessage'])
    api.calls = []
    await send(sandbox, { ...body, messageId: 'same again', user: { ...user, name: 'Countess' } })
    expect(api.operations()).toEqual(['getOrCreateMessage'])
  })

  it('of 40 kB each are not remembered: 300 users leave the heap small', async () => {
    const warm = await sandboxForTest({ maxInstances: 1, bot: () => [] })
    const pictureUrl = `data:image/png;base64,${'A'.repeat(39_000)}`
    const headers = { authorization: `Bearer ${warm.token}` }
    const sendAs = (userId: string) =>
      warm.receive({
        method: 'POST',
        path: '',
        query: '',
        headers,
        body: JSON.stringify({ ...messageBody({ conversationId: 'one' }), userId, user: { pictureUrl } }),
      })
    await sendAs('first')
    const before = await warm.heapUsed()
    for (let count = 0; count < 300; count++) await sendAs(`${count}`)
    const perUser = ((await warm.heapUsed()) - before) / 300
    expect(perUser).toBeLessThan(8000)
  })
})

describe('who may come in, whatever is remembered', () => {
  it.each(BAD_TOKENS)('a token that is %s gets %s: %i after a good one', async (_what, token, status) => {
    const body = messageBody()
    await send(sandbox, body)
    const answer = await send(sandbox, { ...body, messageId: 'intruder' }, { authorization: `Bearer ${token}` })
    expect(answer.status).toBe(status)
    expect(Object.keys(answer.body).toSorted()).toEqual(['detail', 'status', 'title'])
    expect(sandbox.chat.messages.all().map(({ tags }) => tags.id)).toEqual([body.messageId])
  })

  it.each(BAD_TOKENS)(
    'a token that is %s gets %s: %i before a good one, which is not disturbed',
    async (_what, token, status) => {
      const body = messageBody()
      const refused = await send(sandbox, body, { authorization: `Bearer ${token}` })
      expect(refused.status).toBe(status)
      expect(sandbox.chat.conversations.all()).toEqual([])
      expect((await send(sandbox, body)).status).toBe(200)
    }
  )

  it.each(BAD_TOKENS)('a token that is %s gets %s: %i at the same time as good ones', async (_what, token, status) => {
    // So that all of them are under way at once.
    api.faultOf = () => ({ delayMs: 50 })
    const body = messageBody()
    const sendTen = (authorization: string) =>
      Array.from({ length: 10 }, () => send(sandbox, { ...body, messageId: randomUUID() }, { authorization }))
    const [bad, good] = await Promise.all([
      Promise.all(sendTen(`Bearer ${token}`)),
      Promise.all(sendTen(`Bearer ${sandbox.token}`)),
    ])
    expect(bad.map((answer) => answer.status)).toEqual(Array(10).fill(status))
    expect(good.map((answer) => answer.status)).toEqual(Array(10).fill(200))
    expect(sandbox.chat.messages.all()).toHaveLength(10)
  })

  it('a token that is revoked gets 401 from then on', async () => {
    const body = messageBody()
    await send(sandbox, body)
    const revoked = { answer: { status: 401, body: { id: 'err_1', code: 401, type: 'Unauthorized', message: 'No' } } }
    api.faultOf = () => revoked
    const answer = await send(sandbox, { ...body, messageId: 'later' })
    expect(answer.status).toBe(401)
    expect(answer.body).not.toHaveProperty('conversation')
  })

  it('one caller’s failing look-up is not handed to another', async () => {
    const body = messageBody()
    api.faultOf = ({ headers }) =>
      headers.authorization === 'Bearer bp_pat_foreign' ? { delayMs: 200, answer: { status: 403 } } : { delayMs: 100 }
    const [bad, good] = await Promise.all([
      send(sandbox, body, { authorization: 'Bearer bp_pat_foreign' }),
      send(sandbox, body),
    ])
    expect([bad.status, good.status]).toEqual([403, 200])
  })

  it('no request is answered across bots: each bot has its own users, conversations and tokens', async () => {
    const other = await installationForTest({ token: 'bp_pat_other', bot: () => [] })
    const body = messageBody()
    const here = await send(sandbox, body)
    api.calls = []
    const there = await send(other, body)

    // Looked up anew: what is remembered of the one bot is not even tried in the other.
    expect(api.operations().toSorted()).toEqual(['getOrCreateConversation', 'getOrCreateMessage', 'getOrCreateUser'])
    expect([here.status, there.status]).toEqual([200, 200])
    for (const kind of ['conversation', 'user', 'message']) {
      expect(here.body[kind].id).not.toBe(there.body[kind].id)
    }
    expect(sandbox.chat.messages.all()).toEqual([here.body.message])
    expect(other.chat.messages.all()).toEqual([there.body.message])
    // Good for the one bot, and remembered there, it is not for the other.
    expect((await send(other, body, { authorization: `Bearer ${sandbox.token}` })).status).toBe(403)
    expect((await send(sandbox, body, { authorization: `Bearer ${other.token}` })).status).toBe(403)
  })
})

describe('what is remembered and no longer exists is looked up again, and the message gets through', () => {
  it.each([
    ['a conversation', ['conversation']],
    ['a user', ['user']],
    ['both', ['conversation', 'user']],
  ])('%s', async (_what, deleted) => {
    const body = messageBody()
    const before = await send(sandbox, body)
    const { conversation, user } = before.body
    if (deleted.includes('conversation')) sandbox.chat.operations.deleteConversation({ id: conversation.id })
    if (deleted.includes('user')) sandbox.chat.operations.deleteUser({ id: user.id })
    api.calls = []

    const after = await send(sandbox, { ...body, messageId: 'after' })

    expect(after.status).toBe(200)
    expect(after.body.conversation.id !== conversation.id).toBe(deleted.includes('conversation'))
    expect(after.body.user.id !== user.id).toBe(deleted.includes('user'))
    expect(after.body.message).toMatchObject({
      conversationId: after.body.conversation.id,
      userId: after.body.user.id,
    })
    expect(sandbox.chat.messages.get(after.body.message.id)).toEqual(after.body.message)

    api.calls = []
    await send(sandbox, { ...body, messageId: 'later' })
    expect(api.operations()).toEqual(['getOrCreateMessage'])
  })

  it.each([
    ['404', { status: 404, body: { id: 'err_1', code: 404, type: 'ResourceNotFound', message: 'gone' } }],
    ['404 in another form', { status: 404 }],
    [
      'ReferenceNotFound',
      { status: 400, body: { id: 'err_1', code: 400, type: 'ReferenceNotFound', message: 'gone' } },
    ],
  ])('and a few times only: %s', async (_what, answer) => {
    let left = 4
    api.faultOf = ({ operation }) => (operation === 'getOrCreateMessage' && left-- > 0 ? { answer } : undefined)
    const body = messageBody()
    const first = await send(sandbox, body)
    expect(first.status).toBe(answer.status === 404 ? 502 : 400)
    expect(api.operations().filter((operation) => operation === 'getOrCreateMessage')).toHaveLength(4)

    left = 1
    api.calls = []
    expect((await send(sandbox, body)).status).toBe(200)
    expect(api.operations().filter((operation) => operation === 'getOrCreateMessage')).toHaveLength(2)
    expect(api.operations()).toContain('getOrCreateConversation')
    expect(api.operations()).toContain('getOrCreateUser')
  })

  it('ten messages at once after it was deleted are in one new conversation', async () => {
    const body = messageBody()
    const before = await send(sandbox, body)
    sandbox.chat.operations.deleteConversation({ id: before.body.conversation.id })
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => send(sandbox, { ...body, messageId: `after ${index}` }))
    )
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200))
    expect(sandbox.chat.conversations.all()).toHaveLength(1)
    expect(sandbox.chat.messages.all()).toHaveLength(10)
  })
})
