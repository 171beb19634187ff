import { request as httpRequest } from 'node:http'
import https from 'node:https'
import { json } from 'node:stream/consumers'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type SandboxOptions, startSandbox } from '../../sandbox/sandbox'
import { messageBody, send } from '../harness/backend'
import { endpointForTest } from '../harness/for-test'
import { hostForTest } from '../harness/host-for-test'
import { selfSigned } from '../harness/self-signed'

/** A sandbox with a backend's own endpoint, and its control API. */
const controlled = async (options: SandboxOptions = {}) => {
  const endpoint = await endpointForTest((response) => response.end())
  const started = await startControlled({ endpoint: endpoint.url, ...options })
  onTestFinished(started.sandbox.close)
  return { ...started, endpoint }
}

const startControlled = async (options: SandboxOptions = {}) => {
  const sandbox = await startSandbox({ maxInstances: 2, ...options })
  const { controlUrl } = sandbox.control.access
  const control = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const text = typeof body === 'string' ? body : body && JSON.stringify(body)
    const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' }
    const response = await fetch(controlUrl + path, { method, body: text as string, headers: { ...type, ...headers } })
    const answer = (response.status === 204 ? {} : await response.json()) as Record<string, any>
    return { status: response.status, type: response.headers.get('content-type'), body: answer }
  }
  const deliveries = async (count: number) =>
    (await control('GET', `/deliveries?count=${count}&wait=30`)).body['deliveries'] as {
      outcome?: string
      tries: { status?: number; error?: string; ms: number }[]
    }[]
  const say = (text: string) =>
    send(sandbox, messageBody({ text, messageId: text, conversationId: 'tea', userId: 'ada' }))
  return { sandbox, control, deliveries, say, controlUrl }
}

describe('faults of the endpoint, which is the backend’s own', () => {
  it('a status, or a connection closed without an answer, comes as often as was said; the backend sees only the good tries', async () => {
    const { endpoint, control, deliveries, say } = await controlled()
    const set = { endpoint: { status: 503, times: 2 } }
    expect(await control('PUT', '/faults', set)).toMatchObject({ status: 200, body: set })
    await say('Hello')
    const [delivery] = await deliveries(1)
    expect(delivery).toMatchObject({ outcome: 'delivered', tries: [{ status: 503 }, { status: 503 }, { status: 200 }] })
    expect(endpoint.messages()).toHaveLength(1)
    expect((await control('PUT', '/faults', {})).body).toEqual({})
    await control('PUT', '/faults', { endpoint: { reset: true, times: 1 } })
    await say('Again')
    const [, again] = await deliveries(2)
    expect(again).toMatchObject({ outcome: 'delivered', tries: [{ error: 'socket hang up' }, { status: 200 }] })
    expect(endpoint.messages()).toHaveLength(2)
  })

  it('are the same over https', async () => {
    let arrived = 0
    const server = https.createServer(selfSigned, (_request, response) => {
      arrived++
      response.end()
    })
    const { control, deliveries, say } = await controlled({
      endpoint: `https://${await hostForTest(server)}/`,
      env: () => ({ NODE_TLS_REJECT_UNAUTHORIZED: '0' }),
    })
    arrived = 0
    await control('PUT', '/faults', { endpoint: { status: 503, times: 2 } })
    await say('Hello')
    const [delivery] = await deliveries(1)
    expect(delivery).toMatchObject({ outcome: 'delivered', tries: [{ status: 503 }, { status: 503 }, { status: 200 }] })
    expect(arrived).toBe(1)
    await control('PUT', '/faults', { endpoint: { down: true } })
    await say('Again')
    expect(await deliveries(2)).toMatchObject([{}, { outcome: 'failed' }])
    expect(arrived).toBe(1)
  })

  it('while it is down no connection is made, until that is mended; then what was missed arrives', async () => {
    const logged: string[] = []
    const { sandbox, endpoint, control, deliveries, say } = await controlled({ onLog: (line) => logged.push(line) })
    await control('PUT', '/faults', { endpoint: { down: true } })
    await say('Hello')
    const [delivery] = await deliveries(1)
    expect(delivery).toMatchObject({ outcome: 'failed' })
    expect(delivery!.tries).toHaveLength(4)
    const { host } = new URL(endpoint.url)
    expect(delivery!.tries[0]).toMatchObject({ error: `connect ECONNREFUSED ${host}` })
    expect(logged.join('\n')).toMatch(/could not be reached \(ECONNREFUSED\)/)
    expect(endpoint.messages()).toHaveLength(0)
    await control('DELETE', '/faults')
    await send(sandbox, undefined, { path: '/redeliveries' })
    expect(endpoint.messages()).toHaveLength(1)
    expect(await deliveries(1)).toMatchObject([{ outcome: 'delivered' }])
  })

  it('a delay holds the answer back: the backend has the message long before', async () => {
    let arrivedAt = 0
    const own = await endpointForTest((response) => {
      arrivedAt = Date.now()
      response.end()
    })
    const { sandbox, control, deliveries, say } = await controlled()
    sandbox.configure({ endpoint: own.url })
    await control('PUT', '/faults', { endpoint: { delayMs: 1500, times: 1 } })
    await say('Hello')
    const [delivery] = await deliveries(1)
    expect(Date.now() - arrivedAt).toBeGreaterThanOrEqual(1450)
    expect(delivery!.tries).toEqual([{ status: 200, ms: expect.any(Number) }])
    expect(delivery!.tries[0]!.ms).toBeGreaterThanOrEqual(1450)
    expect(own.messages()[0]!.headers).not.toHaveProperty('x-sandbox-fault')
  })

  it('one that hangs may have the message', { timeout: 90_000 }, async () => {
    const { control, deliveries, say } = await controlled()
    await control('PUT', '/faults', { endpoint: { hang: true, times: 1 } })
    await say('Hello')
    expect((await deliveries(1))[0]?.outcome).toBeUndefined()
    expect((await deliveries(1))[0]).toMatchObject({ outcome: 'unknown', tries: [{ ms: expect.any(Number) }] })
  })
})

it('faults of Botpress', async () => {
  const { control, say } = await controlled()
  await control('PUT', '/faults', { botpress: { status: 429, times: 1 } })
  expect((await say('Hello')).status).toBe(200)
  await control('PUT', '/faults', { botpress: { status: 403 } })
  expect((await say('Again')).status).toBe(403)
})

it('the bot writes first, into a conversation that is made for it', async () => {
  const { endpoint, control } = await controlled()
  const { body } = await control('POST', '/messages', { conversationId: 'tea', text: 'Your order is ready' })
  expect(endpoint.messages().map(({ body: message }) => message)).toMatchObject([
    { botpressMessageId: body['botpressMessageId'], conversationId: 'tea', payload: { text: 'Your order is ready' } },
  ])
  const card = { conversationId: 'tea', type: 'choice', payload: { text: 'Size?', options: [] } }
  expect((await control('POST', '/messages', card)).status).toBe(200)
  expect(endpoint.messages()[1]!.body).toMatchObject({ type: 'choice', payload: card.payload })
})

it('what the bot has received, waited for', async () => {
  const { control, say } = await controlled()
  const waiting = control('GET', '/received?count=2&wait=20&conversationId=tea')
  await say('one')
  await say('two')
  expect((await waiting).body['received']).toEqual(
    ['one', 'two'].map((text) => ({
      kind: 'message',
      type: 'text',
      payload: { text },
      conversationId: 'tea',
      userId: 'ada',
      messageId: text,
    }))
  )
  expect((await control('GET', '/received?conversationId=coffee')).body).toEqual({ received: [] })
})

it('what the bot has received of events, in the order of all', async () => {
  const { sandbox, control, say } = await controlled()
  await say('one')
  const event = { conversationId: 'tea', type: 'order_paid', payload: { order: 42 }, eventId: 'e1' }
  await send(sandbox, event, { path: '/events' })
  await send(sandbox, { conversationId: 'coffee', userId: 'bob', type: 'called' }, { path: '/events' })
  const { received } = (await control('GET', '/received?count=3')).body
  expect(received).toMatchObject([{ kind: 'message' }, { kind: 'event', ...event }, { kind: 'event', userId: 'bob' }])
  expect(received[1]).not.toHaveProperty('userId')
  expect(received[2]).toMatchObject({ payload: {}, conversationId: 'coffee' })
  expect(received[2]).not.toHaveProperty('eventId')
})

it('tells how to get in, and how much there is', async () => {
  const { sandbox, control, say, controlUrl } = await controlled({ accessKey: 'k'.repeat(32) })
  await say('Hello').catch(() => {})
  await sandbox.settled()
  expect((await control('GET', '')).body).toEqual({
    webhookUrl: sandbox.webhookUrl,
    credential: 'k'.repeat(32),
    controlUrl,
    pid: process.pid,
    counts: { conversations: 1, users: 1, messages: 2, received: 1, deliveries: 1 },
  })
})

it('a reset forgets everything, and ends the instances', async () => {
  const { sandbox, endpoint, control, deliveries, say } = await controlled()
  await say('Hello')
  await deliveries(1)
  await control('PUT', '/faults', { endpoint: { down: true } })
  expect((await control('POST', '/reset')).status).toBe(204)
  expect(sandbox.instances).toEqual([])
  const { counts } = (await control('GET', '')).body
  expect(counts).toEqual({ conversations: 0, users: 0, messages: 0, received: 0, deliveries: 0 })
  await say('Hello')
  await deliveries(1)
  expect(endpoint.messages()).toHaveLength(2)
})

it('what was under way at a reset does not come back, and a slow bot does not hold it up', async () => {
  const begun = new Set<string>()
  const { sandbox, control, say } = await controlled({
    watch: true,
    onExchange: ({ id, from }) => from === 'backend' && begun.add(id),
    bot: ({ payload }) => new Promise((resolve) => setTimeout(() => resolve(String(payload.text)), 15_000)),
  })
  await say('slow')
  await control('PUT', '/faults', { botpress: { delayMs: 5000 } })
  // More than there are instances: some wait for one.
  const sent = Array.from({ length: 6 }, (_, index) =>
    send(sandbox, messageBody({ text: `${index}` }), { mayBreakOff: true })
  )
  await expect.poll(() => begun.size).toBe(7)
  await expect.poll(() => sandbox.instances.filter(({ isBusy }) => isBusy)).toHaveLength(2)
  const start = Date.now()
  expect((await control('POST', '/reset')).status).toBe(204)
  expect(Date.now() - start).toBeLessThan(10_000)
  for (const { status } of await Promise.all(sent)) expect(status).toBe(500)
  await new Promise((resolve) => setTimeout(resolve, 5500))
  const { counts } = (await control('GET', '')).body
  expect(counts).toEqual({ conversations: 0, users: 0, messages: 0, received: 0, deliveries: 0 })
})

it('a count is waited for also if nothing is said of how long', async () => {
  const { control, say } = await controlled()
  const waiting = control('GET', '/received?count=1')
  await say('late')
  expect((await waiting).body['received']).toHaveLength(1)
})

it('a delivery that failed says why', async () => {
  const { control, deliveries } = await controlled()
  await control('POST', '/messages', { conversationId: 'tea', type: 'order', payload: { id: 1 } })
  expect(await deliveries(1)).toMatchObject([{ outcome: 'failed', error: expect.any(String), tries: [] }])
})

it('a bot that answers what is no message says so', async () => {
  const logged: string[] = []
  const { say } = await controlled({ bot: () => 42 as never, onLog: (line) => logged.push(line) })
  await say('Hello')
  await expect.poll(() => logged.join()).toMatch(/The bot answered 42\. A reply is a text, or \{ type, payload \}\./)
})

it('a redirect that is a fault leads nowhere', async () => {
  const { endpoint, control, deliveries, say } = await controlled()
  await control('PUT', '/faults', { endpoint: { status: 307, times: 1 } })
  await say('Hello')
  expect(await deliveries(1)).toMatchObject([{ outcome: 'failed', tries: [{ status: 307 }] }])
  expect(endpoint.messages()).toEqual([])
})

describe('refuses', () => {
  let shared: Awaited<ReturnType<typeof startControlled>>

  beforeAll(async () => {
    shared = await startControlled()
    return shared.sandbox.close
  })

  it.each([
    ['an unknown fault', 'PUT', '/faults', { endpoint: { explode: true } }, 'endpoint: Unrecognized key: "explode"'],
    [
      'a status that is none',
      'PUT',
      '/faults',
      { endpoint: { status: 200 } },
      'endpoint.status: The status is 300 to 599',
    ],
    ['a message without words', 'POST', '/messages', { conversationId: 'tea' }, 'Send either a payload or a text'],
    ['a long wait', 'GET', '/received?wait=31', undefined, /^wait: /],
    ['a body that is not JSON', 'PUT', '/faults', '{', /JSON/],
  ])('%s', async (_what, method, path, body, detail) => {
    const answer = await shared.control(method, path, body)
    expect(answer).toMatchObject({ status: 400, body: { title: 'Bad Request', status: 400 } })
    expect(answer.type).toMatch('application/problem+json')
    expect(answer.body['detail']).toMatch(detail)
  })

  it('what is not there', async () => {
    for (const [method, path] of [
      ['GET', '/nothing'],
      ['GET', '/faults'],
      ['POST', '/reset/'],
    ] as const) {
      const answer = await shared.control(method, path)
      expect([path, answer.status, answer.type]).toEqual([path, 404, expect.stringContaining('problem+json')])
    }
  })

  it('nothing because of a JSON type without a body', async () => {
    const headers = { 'content-type': 'application/json' }
    expect((await shared.control('DELETE', '/faults', undefined, headers)).status).toBe(200)
    expect((await shared.control('POST', '/reset', undefined, headers)).status).toBe(204)
  })

  it('what pages of other sites can send, and other names of this machine', async () => {
    const { control, controlUrl } = shared
    const plain = await control('PUT', '/faults', '{"endpoint":{"down":true}}', { 'content-type': 'text/plain' })
    expect(plain.status).toBe(415)
    expect((await control('DELETE', '/faults', undefined, { origin: 'https://evil.example' })).status).toBe(403)
    for (const host of ['evil.example', 'evil.localhost', 'host.docker.internal']) {
      const request = httpRequest(controlUrl, { headers: { host } }).end()
      const status = await new Promise((resolve) =>
        request.on('response', (response) => void json(response).then(() => resolve(response.statusCode)))
      )
      expect([host, status]).toEqual([host, 421])
    }
  })
})
