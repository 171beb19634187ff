import { Client } from '@botpress/client'
import http from 'node:http'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import type { BotMessage } from '../../sandbox/bot/bot'
import { messageBody, send } from '../harness/backend'
import { endpointForTest, installationForTest, sandboxForTest } from '../harness/for-test'

// What the embedded cloud has of the real one, as the integration meets it. Its instances are in instances.test.ts, what
// only a client of its API sees in sandbox/cloud/chat/chat-api.test.ts.

describe.each([
  ['update what they find, since version 1.80 of the API', true],
  ['return what they find as it was, before', false],
])('get-or-creates that %s', (_what, updatesMatches) => {
  const ada = { name: 'Ada', pictureUrl: 'https://example.com/ada.png' }

  it('a user is kept up to date, also one that no instance remembers', async () => {
    const sandbox = await sandboxForTest({ bot: () => [], updatesMatches })
    const body = messageBody({ user: ada })
    const first = await send(sandbox, body)
    await sandbox.endInstance()
    const countess = await send(sandbox, { ...body, messageId: 'second', user: { name: 'Countess' } })
    expect(countess.body.user).toMatchObject({ ...ada, name: 'Countess', id: first.body.user.id })
    const known = await send(sandbox, { ...body, messageId: 'third', user: ada })
    expect(known.body.user).toMatchObject(ada)
    await sandbox.endInstance()
    const unnamed = await send(sandbox, { ...body, messageId: 'fourth', user: undefined })
    expect(unnamed.body.user).toMatchObject(ada)
    expect(sandbox.chat.users.get(first.body.user.id)).toMatchObject(ada)
  })

  it('a user is looked up and changed in one call where that is enough', async () => {
    const operations: string[] = []
    const sandbox = await sandboxForTest({
      bot: () => [],
      updatesMatches,
      onApiCall: ({ operation }) => void operations.push(operation),
    })
    const body = messageBody({ user: ada })
    await send(sandbox, body)
    await sandbox.endInstance()
    await send(sandbox, { ...body, messageId: 'second', user: { name: 'Countess' } })
    expect(operations.includes('updateUser')).toBe(!updatesMatches)
  })

  it('the same messageId is one message, which the bot sees once, whatever a repeat says', async () => {
    const heard: BotMessage[] = []
    const sandbox = await sandboxForTest({
      updatesMatches,
      bot: (message) => {
        heard.push(message)
        return []
      },
    })
    const body = messageBody({ text: 'First' })
    const first = await send(sandbox, body)
    const repeat = await send(sandbox, body)
    const changed = await send(sandbox, { ...body, text: 'Changed' })
    await sandbox.settled()
    expect(repeat.body.message).toEqual(first.body.message)
    expect(changed.body.message).toEqual({
      ...first.body.message,
      payload: { text: updatesMatches ? 'Changed' : 'First' },
    })
    expect(heard.map(({ payload }) => payload.text)).toEqual(['First'])
    expect(sandbox.chat.messages.all()).toHaveLength(1)
  })
})

describe('sizes', () => {
  it.each([
    ['a message’s payload of over 128 KB', 129 * 1024, '128 KB'],
    ['a request to the API of over 1 MB', 2 * 1024 * 1024, 'too large'],
  ])('%s: 413, with the reason', async (_what, size, reason) => {
    const sandbox = await installationForTest()
    const answer = await send(sandbox, messageBody({ text: 'x'.repeat(size) }))
    expect(answer.status).toBe(413)
    expect(answer.body.detail).toContain(reason)
    expect(sandbox.chat.messages.all()).toEqual([])
  })

  it('a webhook’s body of over 100 MB: 413', async () => {
    const sandbox = await installationForTest()
    const request = http.request(sandbox.webhookUrl, {
      method: 'POST',
      headers: { 'content-length': 100 * 1024 * 1024 + 1 },
    })
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      request.on('response', resolve).on('error', reject).flushHeaders()
    })
    expect(response.statusCode).toBe(413)
    expect(JSON.parse(await text(response))).toMatchObject({ code: 413, type: 'PayloadTooLarge' })
    request.destroy()
  })

  it('a message of the bot’s that is too large is refused to the bot, and said in the log', async () => {
    const lines: string[] = []
    const sandbox = await installationForTest({
      onLog: (line) => lines.push(line),
      bot: () => [{ type: 'text', payload: { text: 'x'.repeat(128 * 1024) } }],
    })
    await send(sandbox, messageBody())
    await sandbox.settled()
    expect(lines).toEqual([expect.stringContaining('128 KB')])
  })
})

describe('rate limits', () => {
  it('are off by default', async () => {
    const { webhookUrl: url, token, botId, integrationId, chat } = await installationForTest({ bot: () => [] })
    const client = new Client({ apiUrl: new URL(url).origin, token, botId, integrationId })
    const { conversation } = await client.createConversation({ channel: 'channel', tags: {} })
    const { user } = await client.createUser({ tags: {} })
    const ids = { conversationId: conversation.id, userId: user.id }
    // The cloud takes 600 a minute.
    for (let count = 0; count < 650; count++) {
      await client.createMessage({ ...ids, type: 'text', payload: { text: 'Hi' }, tags: {} })
    }
    expect(chat.messages.all()).toHaveLength(650)
  })

  it('of requests a second are waited for', async () => {
    const sandbox = await sandboxForTest({ bot: () => [], rateLimits: { requestsPerSecond: 2 } })
    expect((await send(sandbox, messageBody())).status).toBe(200)
  })

  it('of messages a minute are passed on, with Retry-After', async () => {
    const sandbox = await sandboxForTest({ bot: () => [], rateLimits: { messagesPerMinute: 2 } })
    const statuses: number[] = []
    for (let count = 0; count < 3; count++) {
      const answer = await send(sandbox, messageBody())
      statuses.push(answer.status)
      if (answer.status === 429) expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(30)
    }
    expect(statuses).toEqual([200, 200, 429])
  })
})

describe('ids', () => {
  it('are ULIDs behind a prefix: those made later are greater', async () => {
    const sandbox = await installationForTest()
    const body = messageBody({ text: 'burst 50' })
    await send(sandbox, body)
    await send(sandbox, { ...body, messageId: 'later', text: 'Hi' })
    await sandbox.settled()
    const ids = sandbox.chat.messages.all().map(({ id }) => id)
    expect(ids).toHaveLength(53)
    expect(ids).toEqual(ids.toSorted())
    for (const id of ids) expect(id).toMatch(/^msg_[0-9A-HJKMNP-TV-Z]{26}$/)
  })
})

describe('several installations of the integration in one bot', () => {
  it('have a webhook, an alias, conversations and users of their own', async () => {
    const first = await installationForTest()
    const second = await first.install({ inBotOf: first, token: 'bp_pat_second' })
    expect(second.botId).toBe(first.botId)
    expect(second.alias).not.toBe(first.alias)
    expect(second.webhookUrl).not.toBe(first.webhookUrl)
    const body = messageBody()
    const answers = [
      await send(first, body),
      await send(second, body),
      await send(first, body),
      await send(second, body),
    ]
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    for (const kind of ['conversation', 'user', 'message']) {
      expect(new Set(answers.map((answer) => answer.body[kind].id)).size).toBe(2)
    }
    for (const { chat } of [first, second]) expect(chat.conversations.all()).toHaveLength(1)
  })

  it('do not answer for each other: not messages, not readings', async () => {
    const endpoints = [await endpointForTest(), await endpointForTest()] as const
    const first = await installationForTest({ endpoint: endpoints[0].url })
    const second = await first.install({ inBotOf: first, token: 'bp_pat_second', endpoint: endpoints[1].url })
    const body = messageBody()
    await send(first, body)
    await first.settled()
    expect(endpoints.map((endpoint) => endpoint.messages().length)).toEqual([1, 0])
    const path = `/messages?conversationId=${encodeURIComponent(String(body.conversationId))}`
    expect((await send(first, undefined, { method: 'GET', path })).body.messages).toHaveLength(2)
    expect((await send(second, undefined, { method: 'GET', path })).status).toBe(404)
  })
})

describe('what a bot adds', () => {
  it('further keys in a payload, and tags of its own: the payload arrives as it is, with the six fields', async () => {
    const endpoint = await endpointForTest()
    const payload = { text: 'Hi', metadata: { confidence: 0.9, sources: ['faq'] } }
    const sandbox = await installationForTest({
      endpoint: endpoint.url,
      bot: () => [{ type: 'text', payload, tags: { mood: 'good' } }],
    })
    const answer = await send(sandbox, messageBody(), { headers: { prefer: 'wait=20, replies=1' } })
    await sandbox.settled()
    expect(answer.body.replies[0].payload).toEqual(payload)
    expect(endpoint.messages().map(({ body }) => body)).toEqual(answer.body.replies)
    expect(sandbox.chat.messages.get(answer.body.replies[0].botpressMessageId).tags).toEqual({ mood: 'good' })
  })

  it('tags of its own on what the backend has sent: a repeat is the same message, user and conversation still', async () => {
    const sandbox = await installationForTest({ bot: () => [] })
    const body = messageBody()
    const first = await send(sandbox, body)
    for (const items of [sandbox.chat.messages, sandbox.chat.users, sandbox.chat.conversations]) {
      for (const item of items.all()) items.put({ ...item, tags: { ...item.tags, mood: 'good' } } as never)
    }
    await sandbox.endInstance()
    const repeat = await send(sandbox, body)
    for (const kind of ['conversation', 'user', 'message']) {
      expect(repeat.body[kind].id).toBe(first.body[kind].id)
    }
    expect(sandbox.chat.messages.all()).toHaveLength(1)
  })
})
