import http, { type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { ApiCall } from '../../sandbox/cloud/chat/chat-api'
import type { Sandbox } from '../../sandbox/sandbox'
import { messageBody, send } from '../harness/backend'
import { endpointForTest, sandboxBehindProxy, sandboxForTest } from '../harness/for-test'
import { hostForTest } from '../harness/host-for-test'

const busy = ({ instances }: Sandbox) => instances.filter(({ isBusy }) => isBusy).length

const say = ({ chat, say: sayIn }: Sandbox) => {
  const { conversation } = chat.operations.getOrCreateConversation({ channel: 'channel', tags: { id: 'tea' } })
  return sayIn(conversation.id, { type: 'text', payload: { text: 'Hi' } })
}

describe('a pool of instances', () => {
  it('"burst 40" with four instances has four at work, and everything arrives', async () => {
    // Answers four at a time.
    let waiting: ServerResponse[] = []
    let atWork: number[] = []
    const endpoint = await endpointForTest((response) => {
      waiting.push(response)
      if (waiting.length < 4) return
      atWork.push(busy(sandbox))
      for (const one of waiting.splice(0)) one.writeHead(204).end()
    })
    const sandbox: Sandbox = await sandboxForTest({ endpoint: endpoint.url })
    await send(sandbox, messageBody({ text: 'burst 40' }))
    await sandbox.settled()
    expect(atWork).toEqual(Array(10).fill(4))
    const texts = endpoint.messages().map(({ body }) => (body.payload as { text: string }).text)
    expect(texts.toSorted()).toEqual(Array.from({ length: 40 }, (_, index) => `${index + 1} of 40`).toSorted())
    expect(sandbox.instances).toHaveLength(4)
  })

  it('several messages of a conversation are under way at once, and an order is not promised', async () => {
    const waiting = new Map<string, ServerResponse>()
    const endpoint = await endpointForTest((response, { body }) => {
      waiting.set((body.payload as { text: string }).text, response)
    })
    const delivered: unknown[] = []
    const sandbox = await sandboxForTest({
      endpoint: endpoint.url,
      onDelivery: ({ message }) => delivered.push(message.payload.text),
    })
    await send(sandbox, messageBody({ text: 'burst 3' }))
    await expect.poll(() => waiting.size).toBe(3)
    for (const text of ['3 of 3', '1 of 3', '2 of 3']) {
      const before = delivered.length
      waiting.get(text)!.writeHead(204).end()
      await expect.poll(() => delivered.length).toBe(before + 1)
    }
    expect(delivered).toEqual(['3 of 3', '1 of 3', '2 of 3'])
  })

  it('an instance that is ended at work: the caller gets an error, and sends again what is one message', async () => {
    let ended: Promise<void> | undefined
    const sandbox: Sandbox = await sandboxForTest({
      // The message is written, and Botpress has not answered yet.
      onMessage: () => void (ended ??= sandbox.endInstance(sandbox.instances.find(({ isBusy }) => isBusy)!.number)),
    })
    const body = messageBody()
    const first = await fetch(sandbox.webhookUrl, {
      method: 'POST',
      headers: { authorization: `Bearer ${sandbox.token}` },
      body: JSON.stringify(body),
    })
    expect(first.status).toBe(500)
    expect(await first.json()).toMatchObject({ message: 'The integration did not answer: its instance was ended' })
    expect((await send(sandbox, body)).status).toBe(200)
    expect((await send(sandbox, body)).status).toBe(200)
    await sandbox.settled()
    expect(sandbox.chat.messages.all().map(({ direction }) => direction)).toEqual(['incoming', 'outgoing'])
  })

  it('a call that lasts too long ends its instance, and the delivery has failed', async () => {
    const endpoint = await endpointForTest(() => {})
    const errors: unknown[] = []
    const sandbox = await sandboxForTest({
      endpoint: endpoint.url,
      callLimitMs: 5000,
      onDelivery: ({ error }) => errors.push(error),
    })
    expect((await say(sandbox)).status).toBe(500)
    expect(errors).toEqual(['The integration did not answer: it took longer than 5 s, and its instance was ended'])
  })

  it('what one instance remembers, the others find out', async () => {
    const sandbox = await sandboxForTest({ bot: () => [] })
    const body = messageBody()
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => send(sandbox, { ...body, messageId: `${index}` }))
    )
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
    expect(sandbox.chat.conversations.all()).toHaveLength(1)
    expect(new Set(answers.map((answer) => answer.body.user.id)).size).toBe(1)
    expect(sandbox.chat.messages.all()).toHaveLength(20)
    expect(sandbox.instances).toHaveLength(4)
  })
})

/** A server that closes idle connections after half a second, with last words or without, and has not said that it would. */
const closingServer = async (lastWords: string) => {
  let connections = 0
  let messages = 0
  const server = http.createServer((request, response) => {
    request.resume()
    messages++
    response.writeHead(204, { connection: 'keep-alive' }).end()
    const { socket } = request
    setTimeout(() => socket.end(lastWords, () => socket.destroy()), 500)
  })
  server.on('connection', () => connections++)
  const open = () => new Promise<number>((resolve) => server.getConnections((_error, count) => resolve(count)))
  return { url: `http://${await hostForTest(server)}/`, open, connections: () => connections, messages: () => messages }
}

describe('while an instance is frozen, time passes', () => {
  it.each([
    ['without a word', ''],
    ['with an answer to nothing', 'HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'],
  ])('connections that the endpoint has closed meanwhile cost no try: %s', async (_what, lastWords) => {
    const endpoint = await closingServer(lastWords)
    const outcomes: unknown[] = []
    const sandbox = await sandboxForTest({
      endpoint: endpoint.url,
      onExchange: ({ durationMs, error, status }) => durationMs !== undefined && outcomes.push(error ?? status),
    })
    const before = endpoint.messages()
    for (let count = 1; count <= 3; count++) {
      await expect.poll(endpoint.open).toBe(0)
      expect((await say(sandbox)).status).toBe(200)
      expect(endpoint.messages()).toBe(before + count)
    }
    expect(endpoint.connections()).toBe(4)
    expect(outcomes).toEqual([204, 204, 204, 204])
  })

  it.each([
    ['that Botpress has closed', 'end', 0],
    ['that were forgotten on the way, after four seconds', 'silence', 4100],
  ] as const)('connections to Botpress are not used again %s', async (_what, how, elapsedMs) => {
    const { sandbox, proxy } = await sandboxBehindProxy({ bot: () => [] })
    for (let count = 0; count < 3; count++) {
      expect((await send(sandbox, messageBody())).status).toBe(200)
      proxy.forget(how)
      sandbox.elapse(elapsedMs)
    }
    expect(proxy.lost()).toBe(0)
  })

  it('the answer’s body has flowed off before: the connection is known to be as old as it is', async () => {
    // The body comes after the head, and the instance would be frozen between them.
    const endpoint = await endpointForTest((response) => {
      response.writeHead(200, { 'content-length': 6 }).flushHeaders()
      setTimeout(() => response.end('thanks'), 100)
    })
    const sandbox = await sandboxForTest({ endpoint: endpoint.url })
    await say(sandbox)
    const connections = endpoint.connections()
    await sleep(500)
    sandbox.elapse(4000)
    await say(sandbox)
    expect(endpoint.connections()).toBe(connections + 1)
  })

  it('what is remembered for five minutes is looked up again after', async () => {
    let calls: ApiCall[] = []
    const sandbox = await sandboxForTest({ bot: () => [], onApiCall: (call) => void calls.push(call) })
    const body = messageBody()
    await send(sandbox, body)
    for (const [ms, expected] of [
      [4 * 60_000, ['getOrCreateMessage']],
      [61_000, ['getOrCreateConversation', 'getOrCreateMessage', 'getOrCreateUser']],
    ] as const) {
      sandbox.elapse(ms)
      calls = []
      await send(sandbox, { ...body, messageId: `after ${ms}` })
      expect(calls.map(({ operation }) => operation).toSorted()).toEqual(expected)
    }
  })

  it('a retry of Botpress whose deadline is past is not made: the caller is asked to send again', async () => {
    let calls = 0
    const sandbox = await sandboxForTest({
      bot: () => [],
      onApiCall: ({ operation }) => {
        if (operation !== 'getOrCreateMessage' || ++calls > 1) return undefined
        sandbox.elapse(3_600_000)
        return { answer: { status: 503 } }
      },
    })
    const body = messageBody()
    expect((await send(sandbox, body)).status).toBe(502)
    expect(calls).toBe(1)
    expect((await send(sandbox, body)).status).toBe(200)
  })

  it('a retry of a delivery whose deadline is past is not made: the delivery has failed', async () => {
    const endpoint = await endpointForTest((response) => {
      sandbox.elapse(3_600_000)
      response.writeHead(503).end()
    })
    const sandbox: Sandbox = await sandboxForTest({ endpoint: endpoint.url })
    expect(await say(sandbox)).toMatchObject({ status: 400, body: expect.stringContaining('in 1 try') })
    expect(endpoint.messages()).toHaveLength(1)
  })

  it('a message is signed and dated with the time of the thaw', async () => {
    const endpoint = await endpointForTest()
    const sandbox = await sandboxForTest({ endpoint: endpoint.url })
    await say(sandbox)
    sandbox.elapse(3_600_000)
    await say(sandbox)
    const [first, second] = endpoint.messages().map(({ headers }) => Number(headers['webhook-timestamp']))
    expect(second! - first!).toBeGreaterThanOrEqual(3600)
  })
})
