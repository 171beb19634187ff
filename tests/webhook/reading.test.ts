import { beforeAll, describe, expect, it } from 'vitest'
import { type Sandbox, startSandbox } from '../../sandbox/sandbox'
import { type Answer, messageBody, send } from '../harness/backend'
import { watchApiCalls } from '../harness/api-calls'

const api = watchApiCalls()
let sandbox: Sandbox

beforeAll(async () => {
  sandbox = await startSandbox({
    foreignTokens: ['bp_pat_foreign'],
    onApiCall: api.onApiCall,
  })
  return sandbox.close
})

const read = (query: Record<string, string>, more: { authorization?: string | null } = {}): Promise<Answer> =>
  send(sandbox, undefined, { method: 'GET', path: `/messages?${new URLSearchParams(query)}`, ...more })

const writes = () => api.calls.filter(({ operation }) => !/^(list|get(?!OrCreate))/.test(operation))

describe('GET {webhook URL}/messages', () => {
  it('answers 200 with the messages, newest first: the six fields, direction, createdAt, and messageId where it has one', async () => {
    const body = messageBody({ text: 'Hi', conversationId: 'naïve 日本語 & ? # = + %20 [.]' })
    const { body: sent } = await send(sandbox, body)
    await sandbox.settled()
    const reply = sandbox.chat.messages.all().find(({ direction }) => direction === 'outgoing')!

    const answer = await read({ conversationId: String(body.conversationId) })

    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toMatch('application/json')
    const of = { conversationId: body.conversationId, botpressConversationId: sent.conversation.id }
    expect(answer.body).toEqual({
      messages: [
        {
          ...of,
          type: 'text',
          payload: { text: 'You said: Hi' },
          botpressUserId: reply.userId,
          botpressMessageId: reply.id,
          direction: 'outgoing',
          createdAt: reply.createdAt,
        },
        {
          ...of,
          type: 'text',
          payload: { text: 'Hi' },
          botpressUserId: sent.user.id,
          botpressMessageId: sent.message.id,
          direction: 'incoming',
          createdAt: sent.message.createdAt,
          messageId: body.messageId,
        },
      ],
      meta: {},
    })
  })

  it('pages through a conversation of 100, none missing or doubled, also while another message comes in', async () => {
    const body = messageBody({ text: 'burst 99' })
    await send(sandbox, body)
    await sandbox.settled()
    const texts: string[] = []
    let nextToken: string | undefined
    let pages = 0
    do {
      const answer = await read({ conversationId: String(body.conversationId), ...(nextToken && { nextToken }) })
      expect(answer.status).toBe(200)
      texts.push(...answer.body.messages.map(({ payload }: { payload: { text: string } }) => payload.text))
      nextToken = answer.body.meta.nextToken
      if (++pages === 2) await send(sandbox, { ...body, messageId: 'meanwhile', text: 'silent' })
    } while (nextToken)
    expect(pages).toBeGreaterThan(2)
    expect(texts).toEqual([...Array.from({ length: 99 }, (_, index) => `${99 - index} of 99`), 'burst 99'])
  })

  it('a backend that was down catches up', async () => {
    const body = messageBody({ text: 'burst 3' })
    await send(sandbox, body)
    await sandbox.settled()
    const { messages } = (await read({ conversationId: String(body.conversationId) })).body
    const missed = messages.filter(({ direction }: { direction: string }) => direction === 'outgoing').toReversed()
    expect(missed.map(({ payload }: { payload: { text: string } }) => payload.text)).toEqual([
      '1 of 3',
      '2 of 3',
      '3 of 3',
    ])
  })

  it('404 where there is no such conversation, and reading creates nothing', async () => {
    const answer = await read({ conversationId: 'nowhere' })
    expect(answer.status).toBe(404)
    expect(answer.headers.get('content-type')).toMatch('application/problem+json')
    expect(answer.body.detail).toBe('There is no conversation with the conversationId "nowhere".')
    expect(writes()).toEqual([])
    expect(sandbox.chat.conversations.findByTags({ id: 'nowhere' })).toBeUndefined()
  })

  it('404 for an id that begins with a space says how + is written', async () => {
    await send(sandbox, messageBody({ conversationId: '+4915112345678' }))
    const readAt = (path: string) => send(sandbox, undefined, { method: 'GET', path })
    const answer = await readAt('/messages?conversationId=+4915112345678')
    expect(answer.status).toBe(404)
    expect(answer.body.detail).toBe(
      'There is no conversation with the conversationId " 4915112345678". In a query, + is a space: write %2B for a plus.'
    )
    expect((await readAt('/messages?conversationId=%2B4915112345678')).status).toBe(200)
  })

  it('400 for an id that is not UTF-8', async () => {
    const answer = await send(sandbox, undefined, { method: 'GET', path: '/messages?conversationId=Zo%EB' })
    expect(answer.status).toBe(400)
    expect(answer.body.errors).toEqual([{ path: 'conversationId', message: expect.stringContaining('send UTF-8') }])
  })

  it.each([
    ['without conversationId', {}],
    ['with an empty one', { conversationId: '' }],
    ['with one too long', { conversationId: 'x'.repeat(501) }],
  ])('400 %s', async (_fault, query) => {
    const answer = await read(query as Record<string, string>)
    expect(answer.status).toBe(400)
    expect(answer.body.errors.map(({ path }: { path: string }) => path)).toEqual(['conversationId'])
    expect(api.calls).toEqual([])
  })

  it.each([
    ['conversationId', 'conversationId=a&conversationId=b'],
    ['nextToken', 'conversationId=a&nextToken=1&nextToken=2'],
  ])('400 where %s is given twice', async (path, query) => {
    const answer = await send(sandbox, undefined, { method: 'GET', path: `/messages?${query}` })
    expect(answer.status).toBe(400)
    expect(answer.body.errors).toEqual([{ path, message: 'must be given once' }])
    expect(api.calls).toEqual([])
    const more = await send(sandbox, undefined, { method: 'GET', path: `/messages?${query}&delivery=x` })
    expect(more.body.errors.map((error: { path: string }) => error.path)).toEqual([path, 'delivery'])
  })

  it('400 for a page token that nobody gave; an empty one is the first page', async () => {
    const body = messageBody({ text: 'silent' })
    await send(sandbox, body)
    const conversationId = String(body.conversationId)
    expect((await read({ conversationId, nextToken: 'made up' })).status).toBe(400)
    expect((await read({ conversationId, nextToken: '' })).body.messages).toHaveLength(1)
  })

  it('reads no other conversation, should Botpress list one', async () => {
    const [mine, other] = [messageBody({ text: 'silent' }), messageBody({ text: 'silent' })]
    await send(sandbox, other)
    const { conversation } = (await send(sandbox, mine)).body
    const [foreign] = sandbox.chat.conversations.all()
    const conversationId = String(mine.conversationId)
    api.faultOf = ({ operation }) =>
      operation === 'listConversations'
        ? { answer: { status: 200, body: { conversations: [foreign, conversation], meta: {} } } }
        : undefined
    expect((await read({ conversationId })).body.messages[0].botpressConversationId).toBe(conversation.id)
    api.faultOf = ({ operation }) =>
      operation === 'listConversations'
        ? { answer: { status: 200, body: { conversations: [foreign], meta: {} } } }
        : undefined
    expect((await read({ conversationId })).status).toBe(404)
  })

  it.each(['/messages/', '//messages', '/messages//'])('at the path %s too', async (path) => {
    const body = messageBody({ text: 'silent' })
    await send(sandbox, body)
    const query = new URLSearchParams({ conversationId: String(body.conversationId) })
    const answer = await send(sandbox, undefined, { method: 'GET', path: `${path}?${query}` })
    expect(answer.status).toBe(200)
  })

  it.each([
    ['no token', null, 401],
    ['Bearer alone', 'Bearer', 401],
    ['another scheme', 'Basic abc', 401],
    ['an unknown token', 'Bearer bp_pat_unknown', 401],
    ['a token of another workspace', 'Bearer bp_pat_foreign', 403],
  ])('with %s: %s %i', async (_what, authorization, status) => {
    const body = messageBody({ text: 'silent' })
    await send(sandbox, body)
    const answer = await read({ conversationId: String(body.conversationId) }, { authorization })
    expect(answer.status).toBe(status)
    expect(answer.text).not.toContain('silent')
    expect(answer.headers.get('www-authenticate')).toBe(status === 401 ? 'Bearer' : null)
  })

  it.each(['POST', 'PUT', 'DELETE'])('405 for %s, with Allow', async (method) => {
    const answer = await send(sandbox, messageBody(), { method, path: '/messages' })
    expect(answer.status).toBe(405)
    expect(answer.headers.get('allow')).toBe('GET')
    expect(api.calls).toEqual([])
  })
})
