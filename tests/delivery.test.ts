import { describe, expect, it } from 'vitest'
import { DEMO_MESSAGES } from '../sandbox/demo-messages'
import { version } from '../package.json'
import { messageBody, sandboxForTest, send } from './backend'
import { endpointForTest } from './endpoint'

const failed = (message: RegExp | string) => ({
  status: 400,
  body: expect.stringMatching(message),
})

describe('the bot’s messages', () => {
  it('are POSTed to the endpoint, its path and query kept, one request a message, with exactly the six fields', async () => {
    const endpoint = await endpointForTest()
    const sandbox = await sandboxForTest({ endpoint: endpoint.url })
    const sent = messageBody({ text: 'Hi' })
    const { body } = await send(sandbox, sent)
    await sandbox.settled()

    const reply = sandbox.chat.messages.all().find(({ direction }) => direction === 'outgoing')
    expect(endpoint.messages()).toHaveLength(1)
    const [{ method, url, headers, body: received }] = endpoint.messages() as [never]
    expect(method).toBe('POST')
    expect(url).toBe('/bot?key=a%20b')
    expect(headers).toMatchObject({ 'content-type': 'application/json' })
    expect(received).toEqual({
      type: 'text',
      payload: { text: 'You said: Hi' },
      conversationId: sent.conversationId,
      botpressUserId: reply!.userId,
      botpressMessageId: reply!.id,
      botpressConversationId: body.conversation.id,
    })
  })

  it('carry webhook-id, webhook-timestamp in seconds, and a user-agent with name and version', async () => {
    const endpoint = await endpointForTest()
    const sandbox = await sandboxForTest({ endpoint: endpoint.url })
    const before = Math.floor(Date.now() / 1000)
    await send(sandbox, messageBody())
    await sandbox.settled()
    const { headers, body } = endpoint.messages()[0]!
    expect(headers['webhook-id']).toBe(body.botpressMessageId)
    expect(headers['webhook-timestamp']).toMatch(/^\d+$/)
    expect(Number(headers['webhook-timestamp'])).toBeGreaterThanOrEqual(before)
    expect(Number(headers['webhook-timestamp'])).toBeLessThanOrEqual(Date.now() / 1000)
    expect(headers['user-agent']).toBe(`messaging-api/${version}`)
  })

  it.each(Object.entries({ ...DEMO_MESSAGES, text: { text: 'Words' } }))(
    'of the type %s arrive as the bot sent them',
    async (type, payload) => {
      const endpoint = await endpointForTest()
      const sandbox = await sandboxForTest({ endpoint: endpoint.url, bot: () => [{ type, payload }] })
      await send(sandbox, messageBody())
      await sandbox.settled()
      expect(endpoint.messages().map(({ body }) => [body.type, body.payload])).toEqual([[type, payload]])
    }
  )

  it('carry unicode, and keys that JavaScript has uses of its own for', async () => {
    const endpoint = await endpointForTest()
    const payload = JSON.parse('{"text":"日本語 👩‍👩‍👧 \\ud83d \\u0000","__proto__":{"a":1},"constructor":{"b":2}}')
    const sandbox = await sandboxForTest({ endpoint: endpoint.url, bot: () => [{ type: 'any', payload }] })
    await send(sandbox, messageBody())
    await sandbox.settled()
    expect(JSON.stringify(endpoint.messages()[0]!.body.payload)).toBe(JSON.stringify(payload))
  })

  it.each([200, 201, 202, 204, 299])('are delivered by the status %i', async (status) => {
    const endpoint = await endpointForTest((response) => response.writeHead(status).end())
    const errors: unknown[] = []
    const sandbox = await sandboxForTest({ endpoint: endpoint.url, onDelivery: ({ error }) => errors.push(error) })
    await send(sandbox, messageBody())
    await sandbox.settled()
    expect(errors).toEqual([undefined])
  })

  it('are delivered whatever the size of the answer’s body, which is not read into memory', async () => {
    let cutOff = false
    const endpoint = await endpointForTest((response) => {
      response.writeHead(200)
      const pour = () => {
        while (response.write(Buffer.alloc(64 * 1024)));
        response.once('drain', pour)
      }
      response.on('close', () => (cutOff = true))
      pour()
    })
    const errors: unknown[] = []
    const sandbox = await sandboxForTest({ endpoint: endpoint.url, onDelivery: ({ error }) => errors.push(error) })
    await send(sandbox, messageBody())
    await sandbox.settled()
    expect(errors).toEqual([undefined])
    await expect.poll(() => cutOff).toBe(true)
  })

  it('a redirect is never followed: it is a failure that names the Location', async () => {
    const elsewhere = await endpointForTest()
    const endpoint = await endpointForTest((response) => response.writeHead(302, { location: elsewhere.url }).end())
    const sandbox = await sandboxForTest({ endpoint: endpoint.url })
    const { body } = await send(sandbox, messageBody({ text: 'silent' }))
    const response = await sandbox.say(body.conversation.id, { type: 'text', payload: { text: 'Hi' } })
    expect(response).toMatchObject(failed(`302.*${new URL(elsewhere.url).host}/bot`))
    expect(elsewhere.messages()).toEqual([])
  })

  it('a delivery that fails is a RuntimeError that names host and status, logged for the bot’s owner', async () => {
    const lines: string[] = []
    const endpoint = await endpointForTest((response) => response.writeHead(404).end('x'.repeat(100)))
    const sandbox = await sandboxForTest({ endpoint: endpoint.url, onLog: (line) => lines.push(line) })
    const { body } = await send(sandbox, messageBody({ text: 'silent' }))
    const response = await sandbox.say(body.conversation.id, { type: 'text', payload: { text: 'A private matter' } })

    expect(JSON.parse(response.body!)).toMatchObject({ type: 'Runtime', code: 400 })
    expect(response).toMatchObject(failed(`${new URL(endpoint.url).host} answered 404`))
    await expect.poll(() => lines.filter((line) => line.includes('For Bot Owner'))).toHaveLength(1)
    for (const text of [response.body, ...lines]) {
      expect(text).not.toContain('private matter')
      expect(text).not.toContain('key=')
    }
    expect(sandbox.chat.messages.all().map(({ payload }) => payload.text)).toContain('A private matter')
  })

  it('an endpoint that cannot be reached is named with the cause', async () => {
    const endpoint = await endpointForTest()
    const sandbox = await sandboxForTest({ endpoint: endpoint.url })
    const { body } = await send(sandbox, messageBody({ text: 'silent' }))
    await endpoint.close()
    const response = await sandbox.say(body.conversation.id, { type: 'text', payload: { text: 'Hi' } })
    expect(response).toMatchObject(failed(/127\.0\.0\.1:\d+ could not be reached \(ECONN/))
  })

  it('a conversation without the external id is a RuntimeError; nothing is posted', async () => {
    const endpoint = await endpointForTest()
    const sandbox = await sandboxForTest({ endpoint: endpoint.url })
    const { conversation } = sandbox.chat.operations.createConversation({ channel: 'channel', tags: {} })
    const response = await sandbox.say(conversation.id, { type: 'text', payload: { text: 'Hi' } })
    expect(JSON.parse(response.body!)).toMatchObject({
      type: 'Runtime',
      message: expect.stringContaining('external id'),
    })
    expect(endpoint.messages()).toEqual([])
  })
})
