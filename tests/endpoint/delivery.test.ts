import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { demoMessages } from '../../sandbox/bot/demo-messages'
import { version } from '../../package.json'
import { messageBody, send } from '../harness/backend'
import type { Received } from '../harness/endpoint'
import { endpointForTest, installationForTest, sandboxForTest } from '../harness/for-test'

const SECRET = `whsec_${randomBytes(32).toString('base64')}`

const failed = (message: RegExp | string) => ({
  status: 400,
  body: expect.stringMatching(message),
})

/** The same message each time: the same bytes, and the same webhook-id for the endpoint to drop repeats by. */
const expectRepeats = (received: Received[], times: number) => {
  expect(received).toHaveLength(times)
  expect(new Set(received.map(({ text }) => text)).size).toBe(1)
  expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
}

describe('the bot’s messages', () => {
  it('are POSTed to the endpoint, its path and query kept, one request a message, with exactly the six fields', async () => {
    const endpoint = await endpointForTest()
    const sandbox = await installationForTest({ endpoint: endpoint.url })
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
    const sandbox = await installationForTest({ endpoint: endpoint.url })
    const before = Math.floor(Date.now() / 1000)
    await send(sandbox, messageBody())
    await sandbox.settled()
    const { headers, body } = endpoint.messages()[0]!
    expect(headers['webhook-id']).toBe(body.botpressMessageId)
    expect(headers['webhook-timestamp']).toMatch(/^\d+$/)
    expect(Number(headers['webhook-timestamp'])).toBeGreaterThanOrEqual(before)
    expect(Number(headers['webhook-timestamp'])).toBeLessThanOrEqual(Date.now() / 1000)
    expect(headers['user-agent']).toBe(`Botpress-Messaging-API/${version}`)
  })

  it.each(Object.entries({ ...demoMessages('https://example.com'), text: { text: 'Words' } }))(
    'of the type %s arrive as the bot sent them',
    async (type, payload) => {
      const endpoint = await endpointForTest()
      const sandbox = await installationForTest({ endpoint: endpoint.url, bot: () => [{ type, payload }] })
      await send(sandbox, messageBody())
      await sandbox.settled()
      expect(endpoint.messages().map(({ body }) => [body.type, body.payload])).toEqual([[type, payload]])
    }
  )

  it('carry unicode, and keys that JavaScript has uses of its own for', async () => {
    const endpoint = await endpointForTest()
    const payload = JSON.parse('{"text":"日本語 👩‍👩‍👧 \\u0000","__proto__":{"a":1},"constructor":{"b":2}}')
    const sandbox = await installationForTest({ endpoint: endpoint.url, bot: () => [{ type: 'any', payload }] })
    await send(sandbox, messageBody())
    await sandbox.settled()
    expect(JSON.stringify(endpoint.messages()[0]!.body.payload)).toBe(JSON.stringify(payload))
  })

  it.each([200, 201, 202, 204, 299])('are delivered by the status %i', async (status) => {
    const endpoint = await endpointForTest((response) => response.writeHead(status).end())
    const errors: unknown[] = []
    const sandbox = await installationForTest({ endpoint: endpoint.url, onDelivery: ({ error }) => errors.push(error) })
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
    const sandbox = await installationForTest({ endpoint: endpoint.url, onDelivery: ({ error }) => errors.push(error) })
    await send(sandbox, messageBody())
    await sandbox.settled()
    expect(errors).toEqual([undefined])
    await expect.poll(() => cutOff).toBe(true)
  })

  it.each([400, 401, 403, 404, 405, 409, 410, 413, 422])('the status %i is final: one try', async (status) => {
    const endpoint = await endpointForTest((response) => response.writeHead(status).end())
    const sandbox = await installationForTest({ endpoint: endpoint.url })
    const { body } = await send(sandbox, messageBody({ text: 'silent' }))
    const response = await sandbox.say(body.conversation.id, { type: 'text', payload: { text: 'Hi' } })
    expect(response).toMatchObject(failed(`in 1 try: .* answered ${status}`))
    expect(endpoint.messages()).toHaveLength(1)
  })

  it.each([408, 425, 429, 500, 502, 503, 599])('are tried again after the status %i', async (status) => {
    let tries = 0
    const endpoint = await endpointForTest((response) => response.writeHead(++tries < 2 ? status : 200).end('x'))
    const errors: unknown[] = []
    const sandbox = await installationForTest({ endpoint: endpoint.url, onDelivery: ({ error }) => errors.push(error) })
    await send(sandbox, messageBody())
    await sandbox.settled()
    expect(errors).toEqual([undefined])
    expectRepeats(endpoint.messages(), 2)
  })

  it('are tried again after a connection error', async () => {
    let tries = 0
    const endpoint = await endpointForTest((response) =>
      ++tries === 1 ? response.socket!.resetAndDestroy() : response.writeHead(204).end()
    )
    const errors: unknown[] = []
    const sandbox = await installationForTest({ endpoint: endpoint.url, onDelivery: ({ error }) => errors.push(error) })
    await send(sandbox, messageBody())
    await sandbox.settled()
    expect(errors).toEqual([undefined])
    expectRepeats(endpoint.messages(), 2)
  })

  it('are tried 4 times at the most, with growing pauses', async () => {
    const times: number[] = []
    const endpoint = await endpointForTest((response) => {
      times.push(performance.now())
      response.writeHead(503).end()
    })
    const sandbox = await installationForTest({ endpoint: endpoint.url })
    const { body } = await send(sandbox, messageBody({ text: 'silent' }))
    const response = await sandbox.say(body.conversation.id, { type: 'text', payload: { text: 'Hi' } })
    expect(response).toMatchObject(failed(`in 4 tries: ${new URL(endpoint.url).host} answered 503`))
    expectRepeats(endpoint.messages(), 4)
    const pauses = times.slice(1).map((time, index) => time - times[index]!)
    expect(pauses).toEqual([...pauses].toSorted((a, b) => a - b))
  })

  it('a delivery that fails is a RuntimeError that names host and status, logged for the bot’s owner', async () => {
    const lines: string[] = []
    const endpoint = await endpointForTest((response) => response.writeHead(422).end('x'.repeat(100)))
    const options = { endpoint: endpoint.url, signingSecret: SECRET, onLog: (line: string) => lines.push(line) }
    const sandbox = await installationForTest(options)
    const { body } = await send(sandbox, messageBody({ text: 'silent' }))
    const response = await sandbox.say(body.conversation.id, { type: 'text', payload: { text: 'A private matter' } })

    expect(JSON.parse(response.body!)).toMatchObject({ type: 'Runtime', code: 400 })
    expect(response).toMatchObject(failed(`${new URL(endpoint.url).host} answered 422`))
    await expect.poll(() => lines.filter((line) => line.includes('For Bot Owner'))).toHaveLength(1)
    for (const text of [response.body, ...lines]) {
      expect(text).not.toContain('private matter')
      expect(text).not.toContain('key=')
      expect(text).not.toContain(SECRET.slice('whsec_'.length))
    }
    expect(sandbox.chat.messages.all().map(({ payload }) => payload.text)).toContain('A private matter')
  })

  it('an endpoint that cannot be reached is named with the cause and the number of tries', async () => {
    const endpoint = await endpointForTest()
    const sandbox = await installationForTest({ endpoint: endpoint.url })
    const { body } = await send(sandbox, messageBody({ text: 'silent' }))
    await endpoint.close()
    const response = await sandbox.say(body.conversation.id, { type: 'text', payload: { text: 'Hi' } })
    expect(response).toMatchObject(failed(/in 4 tries: 127\.0\.0\.1:\d+ could not be reached \(ECONN/))
  })

  it.each([
    ['no endpoint', { endpoint: '' }, 'The Response Endpoint URL is not set'],
    ['a malformed secret', { signingSecret: 'secret' }, 'The Signing Secret is malformed'],
  ])('a delivery that fails before a try is in the bot’s log too: %s', async (_what, configuration, reason) => {
    const lines: string[] = []
    const sandbox = await installationForTest({ onLog: (line) => lines.push(line) })
    const { body } = await send(sandbox, messageBody({ text: 'silent' }))
    sandbox.configure(configuration)
    const response = await sandbox.say(body.conversation.id, { type: 'text', payload: { text: 'Hi' } })
    expect(JSON.parse(response.body!)).toMatchObject({ type: 'Runtime', message: expect.stringContaining(reason) })
    await expect.poll(() => lines.filter((line) => line.includes(reason))).toHaveLength(1)
    expect(lines.join()).toContain('For Bot Owner')
  })

  it('a conversation without the external id is in the bot’s log', async () => {
    const lines: string[] = []
    const sandbox = await installationForTest({ onLog: (line) => lines.push(line) })
    const { conversation } = sandbox.chat.operations.createConversation({ channel: 'channel', tags: {} })
    await sandbox.say(conversation.id, { type: 'text', payload: { text: 'Hi' } })
    await expect.poll(() => lines.filter((line) => line.includes('has no external id'))).toHaveLength(1)
  })

  it('a conversation without the external id is a RuntimeError; nothing is posted', async () => {
    const endpoint = await endpointForTest()
    const sandbox = await installationForTest({ endpoint: endpoint.url })
    const { conversation } = sandbox.chat.operations.createConversation({ channel: 'channel', tags: {} })
    const response = await sandbox.say(conversation.id, { type: 'text', payload: { text: 'Hi' } })
    expect(JSON.parse(response.body!)).toMatchObject({
      type: 'Runtime',
      message: expect.stringContaining('external id'),
    })
    expect(endpoint.messages()).toEqual([])
  })
})

describe('where they may go', () => {
  it('the proxy variables of the environment are not used', async () => {
    const proxy = await endpointForTest()
    const endpoint = await endpointForTest()
    const { origin } = new URL(proxy.url)
    const names = ['http_proxy', 'https_proxy', 'all_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY']
    // Botpress itself may be behind one.
    const env = () => ({ ...Object.fromEntries(names.map((name) => [name, origin])), no_proxy: 'localhost' })
    await sandboxForTest({ endpoint: endpoint.url, env })
    expect(endpoint.tests()).toHaveLength(1)
    expect(proxy.connections()).toBe(0)
  })

  it('not to an address that is not public, where nothing lifts that', async () => {
    const endpoint = await endpointForTest()
    const env = () => ({ ALLOW_PRIVATE_ENDPOINTS: '' })
    await expect(sandboxForTest({ endpoint: endpoint.url, env })).rejects.toThrow('is not a public address')
    expect(endpoint.connections()).toBe(0)
  })
})
