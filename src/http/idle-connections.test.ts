import http from 'node:http'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { IdleConnections, KEEP_ALIVE } from './idle-connections'
import { hostForTest } from '../../tests/harness/host-for-test'

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
afterEach(() => void vi.useRealTimers())

/** A server that answers when it is told to, and an agent to reach it. */
const serverAndAgent = async () => {
  let connections = 0
  const waiting: http.ServerResponse[] = []
  const server = http.createServer((_request, response) => void waiting.push(response))
  server.on('connection', () => connections++)
  const [hostname, port] = (await hostForTest(server)).split(':')
  const agent = new http.Agent(KEEP_ALIVE)
  const idle = new IdleConnections([agent])
  onTestFinished(() => agent.destroy())

  /** Makes requests that are under way at the same time, each over a connection of its own, to their ends. */
  const request = async (count = 1): Promise<void> => {
    const done = Array.from({ length: count }, async () => {
      const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
        http.get({ hostname, port, agent }, resolve).on('error', reject)
      })
      await text(response)
    })
    await expect.poll(() => waiting.length).toBe(count)
    for (const response of waiting.splice(0)) response.end('thanks')
    await Promise.all(done)
    await expect.poll(() => Object.values(agent.sockets).flat().length).toBe(0)
  }
  const kept = () => Object.values(agent.freeSockets).flatMap((sockets) => sockets!.filter((one) => !one.destroyed))
  return { server, agent, idle, request, connections: () => connections, kept: () => kept().length }
}

describe('a connection that is kept', () => {
  it('is used again for four seconds', async () => {
    const { idle, request, connections } = await serverAndAgent()
    await request()
    vi.advanceTimersByTime(3900)
    await idle.closeStale()
    await request()
    expect(connections()).toBe(1)
  })

  it('is not used again after the time that the server has told, though no timer has run', async () => {
    const { idle, request, connections, server } = await serverAndAgent()
    // Told as `Keep-Alive: timeout=3`; Node's agent takes a second off.
    server.keepAliveTimeout = 3000
    await request()
    vi.advanceTimersByTime(1900)
    await idle.closeStale()
    await request()
    expect(connections()).toBe(1)
    vi.advanceTimersByTime(2100)
    await idle.closeStale()
    await request()
    expect(connections()).toBe(2)
  })

  it('is not used again after four seconds by the clock, though no timer has run', async () => {
    const { idle, request, connections } = await serverAndAgent()
    await request()
    vi.advanceTimersByTime(4100)
    await idle.closeStale()
    await request()
    expect(connections()).toBe(2)
  })

  it('is as old as its last use, among others that are older', async () => {
    const { idle, request, connections, kept } = await serverAndAgent()
    await request(3)
    vi.advanceTimersByTime(3000)
    await request()
    vi.advanceTimersByTime(3000)
    await idle.closeStale()
    expect(kept()).toBe(1)
    await request()
    expect(connections()).toBe(3)
  })

  it('is one of fifty at most', async () => {
    const { idle, request, kept } = await serverAndAgent()
    await request(60)
    await idle.closeStale()
    expect(kept()).toBe(50)
  })

  it('is not used again where the server has said something since, as 408 before it closes', async () => {
    const { agent, idle, request, connections } = await serverAndAgent()
    await request(2)
    const [socket] = Object.values(agent.freeSockets).flat()
    // What the server says is read, and thrown away, before the close is.
    Object.defineProperty(socket, 'bytesRead', { value: socket!.bytesRead + 1 })
    await idle.closeStale()
    expect(socket!.destroyed).toBe(true)
    await request()
    expect(connections()).toBe(2)
  })

  it('is used again though one that was used later is closed', async () => {
    const { agent, idle, request, connections } = await serverAndAgent()
    await request(2)
    const later = Object.values(agent.freeSockets).flat().at(-1)!
    Object.defineProperty(later, 'bytesRead', { value: later.bytesRead + 1 })
    await idle.closeStale()
    await request()
    expect(later.destroyed).toBe(true)
    expect(connections()).toBe(2)
  })

  it('is closed by a timer too, while the instance runs', async () => {
    const { agent, request } = await serverAndAgent()
    await request()
    const [socket] = Object.values(agent.freeSockets).flat()
    expect(socket!.timeout).toBeGreaterThan(0)
    expect(socket!.timeout).toBeLessThanOrEqual(4000)
    socket!.emit('timeout')
    expect(socket!.destroyed).toBe(true)
  })

  it('is closed where all are', async () => {
    const { idle, request, connections } = await serverAndAgent()
    await request(5)
    idle.closeAll()
    await request()
    expect(connections()).toBe(6)
  })
})
