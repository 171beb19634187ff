import { createServer } from 'node:net'
import { describe, it, vi } from 'vitest'
import { startSandbox } from '../../sandbox/sandbox'
import { send } from '../harness/backend'
import { startEndpoint } from '../harness/endpoint'
import { listen } from '../harness/listen'
import { marks, missed } from '../redelivery/outage'

/** What becomes of a message whose endpoint answers its tries after a while, or never. */
const deliver = async (...answers: { afterMs?: number; status?: number; endAfterMs?: number }[]) => {
  let tries = 0
  let cutOff = false
  const endpoint = await startEndpoint((response) => {
    const { afterMs, status = 200, endAfterMs = 0 } = answers[tries++] ?? {}
    response.on('close', () => (cutOff = !response.writableFinished))
    if (afterMs !== undefined) setTimeout(() => response.writeHead(status).flushHeaders(), afterMs)
    if (afterMs !== undefined && endAfterMs < Infinity) setTimeout(() => response.end(), afterMs + endAfterMs)
  })
  const lines: string[] = []
  const sandbox = await startSandbox({ endpoint: endpoint.url, onLog: (line) => lines.push(line) })
  const { conversation } = sandbox.chat.operations.createConversation({ channel: 'channel', tags: { id: 'tea' } })
  const response = await sandbox.say(conversation.id, { type: 'text', payload: { text: 'Hi' } })
  const received = endpoint.messages().length
  await sandbox.close()
  await endpoint.close()
  const [message] = sandbox.chat.messages.all()
  return { ...response, received, lines, cutOff, mark: message!.tags['delivery'] }
}

// Each takes as long as the integration's patience: side by side.
describe.concurrent('slow endpoints', () => {
  describe('a backend of v0.2.3, that answers when its work is done', () => {
    it('after 12 s gets the message once', async ({ expect }) => {
      expect(await deliver({ afterMs: 12_000 })).toMatchObject({ status: 200, received: 1, lines: [] })
    })

    it('after 25 s gets the message once', async ({ expect }) => {
      expect(await deliver({ afterMs: 25_000 })).toMatchObject({ status: 200, received: 1, lines: [] })
    })

    it('at once, and works on for 28 s until the end of the request, is not cut off', async ({ expect }) => {
      expect(await deliver({ afterMs: 0, endAfterMs: 28_000 })).toMatchObject({
        status: 200,
        received: 1,
        cutOff: false,
      })
    })

    it('at once, and never comes to its end, is cut off after 30 s', async ({ expect }) => {
      const start = Date.now()
      expect(await deliver({ afterMs: 0, endAfterMs: Infinity })).toMatchObject({
        status: 200,
        received: 1,
        cutOff: true,
      })
      expect(Date.now() - start).toBeGreaterThan(29_500)
    })

    it('never: gets the message once, and the log says that it may have arrived', async ({ expect }) => {
      const { status, body, received, lines, mark } = await deliver()
      expect({ status, received, mark }).toEqual({ status: 400, received: 1, mark: 'unknown' })
      expect(body).toMatch(
        /The message msg_\w+ may have arrived, in 1 try: .* did not answer in time, within 30 s\. Let the endpoint/
      )
      expect(lines.filter((line) => line.includes('may have arrived'))).toHaveLength(1)
    })
  })

  describe('a message that may have arrived', () => {
    it('at a later try is marked as unknown then', async ({ expect }) => {
      const { received, mark } = await deliver({ afterMs: 0, status: 503 })
      expect({ received, mark }).toEqual({ received: 2, mark: 'unknown' })
    })

    it('is answered 5xx by a gateway, 10 s or more after it was sent whole, and is not tried again', async ({
      expect,
    }) => {
      const { received, mark, body } = await deliver({ afterMs: 10_100, status: 502 })
      expect({ received, mark }).toEqual({ received: 1, mark: 'unknown' })
      expect(body).toMatch(
        /may have arrived, in 1 try: .* answered 502 after 10 s, which a gateway does while .* Let the/
      )
    })

    it('is not one that is answered 5xx before: that is tried again', async ({ expect }) => {
      const { received, mark } = await deliver({ afterMs: 9000, status: 502 }, { afterMs: 0 })
      expect({ received, mark }).toEqual({ received: 2, mark: undefined })
    })

    it('while the endpoint is known to be down, after 10 s; and it is redelivered with its conversation, on request', async ({
      expect,
    }) => {
      let tries = 0
      const endpoint = await startEndpoint((response) => {
        if (++tries <= 4) response.writeHead(503).end()
        else if (tries > 5) response.writeHead(204).end()
      })
      const lines: string[] = []
      const sandbox = await startSandbox({ endpoint: endpoint.url, maxInstances: 1, onLog: (line) => lines.push(line) })
      const { conversation } = sandbox.chat.operations.createConversation({ channel: 'channel', tags: { id: 'tea' } })
      for (const text of ['first', 'second']) await sandbox.say(conversation.id, { type: 'text', payload: { text } })
      expect(sandbox.chat.messages.all().map(({ tags }) => tags)).toEqual([
        { delivery: 'failed', redeliveryFailures: '0' },
        { delivery: 'unknown', redeliveryFailures: '0' },
      ])
      expect(lines.join('\n')).toMatch(/may have arrived, in 1 try: .* within (9\.\d|10) s\./)
      const { body } = await send(sandbox, { delivery: 'unknown' }, { path: '/redeliveries' })
      expect(body).toEqual({ delivered: 1, undelivered: 0, more: false })
      await sandbox.close()
      await endpoint.close()
    })

    it('while the endpoint is known to be down has 10 s for the head, and the whole time for the body', async ({
      expect,
    }) => {
      let tries = 0
      let isCut: boolean | undefined
      const endpoint = await startEndpoint((response) => {
        if (++tries <= 4) return response.writeHead(503).end()
        response.on('close', () => (isCut = !response.writableFinished))
        response.writeHead(200).flushHeaders()
        return setTimeout(() => response.end(), 22_000)
      })
      const sandbox = await startSandbox({ endpoint: endpoint.url, maxInstances: 1 })
      const { conversation } = sandbox.chat.operations.createConversation({ channel: 'channel', tags: { id: 'tea' } })
      for (const text of ['first', 'second']) await sandbox.say(conversation.id, { type: 'text', payload: { text } })
      // The first message waits: a call of over 12 s redelivers nothing.
      expect({ tries, isCut }).toEqual({ tries: 5, isCut: false })
      await sandbox.close()
      await endpoint.close()
    })

    it('in a redelivery is marked so after 30 s, and others wait', async ({ expect }) => {
      const endpoint = await startEndpoint((response, { body }) => {
        if ((body.payload as { text: string }).text !== 'hangs') response.writeHead(204).end()
      })
      const sandbox = await startSandbox({ endpoint: endpoint.url, maxInstances: 1 })
      for (const text of ['hangs', 'next']) missed(text, { from: sandbox })
      const { body } = await send(sandbox, {}, { path: '/redeliveries' })
      expect(body).toEqual({
        delivered: 0,
        undelivered: 1,
        more: true,
        reason: expect.stringMatching(/may have arrived.* within 30 s/),
      })
      expect(marks(sandbox)).toEqual({ hangs: 'unknown', next: 'failed' })
      expect((await send(sandbox, {}, { path: '/redeliveries' })).body).toMatchObject({ delivered: 1, more: false })
      await sandbox.close()
      await endpoint.close()
    })

    it('and was delivered by a request meanwhile is not marked', async ({ expect }) => {
      let tries = 0
      const endpoint = await startEndpoint((response) => {
        if (++tries !== 2) response.writeHead(tries === 1 ? 503 : 204).end()
      })
      const sandbox = await startSandbox({ endpoint: endpoint.url })
      const { conversation } = sandbox.chat.operations.createConversation({ channel: 'channel', tags: { id: 'tea' } })
      const saying = sandbox.say(conversation.id, { type: 'text', payload: { text: 'Hi' } })
      await vi.waitUntil(() => tries === 2, { timeout: 20_000 })
      const { body } = await send(sandbox, {}, { path: '/redeliveries' })
      expect(body).toEqual({ delivered: 1, undelivered: 0, more: false })
      expect((await saying).status).toBe(200)
      expect(marks(sandbox)).toEqual({ Hi: undefined })
      await sandbox.close()
      await endpoint.close()
    })
  })

  describe('the test message of the registration', () => {
    it('has 20 s, and one try; the error says what to do about hosts that sleep', async ({ expect }) => {
      let tries = 0
      const { port, close } = await listen(createServer((socket) => socket.once('data', () => tries++)))
      await expect(startSandbox({ endpoint: `http://127.0.0.1:${port}/` })).rejects.toThrow(
        /did not answer in time, within (20|19) s\. Let the endpoint answer 2xx at once.* If its host sleeps while idle, .* save again\./
      )
      expect(tries).toBe(1)
      await close()
    })

    it('has 10 s of them for connecting, to which the handshake of TLS belongs', async ({ expect }) => {
      const { port, close } = await listen(createServer())
      await expect(startSandbox({ endpoint: `https://127.0.0.1:${port}/` })).rejects.toThrow(
        /could not be reached in time, within 10 s\. Check .* If its host sleeps while idle, .* save again\./
      )
      await close()
    })
  })
})
