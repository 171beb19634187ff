import { once } from 'node:events'
import http from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type Sandbox, startSandbox } from '../../sandbox/sandbox'

describe('every address', () => {
  let sandbox: Sandbox
  let port: number

  beforeAll(async () => {
    sandbox = await startSandbox({ page: true })
    port = Number(new URL(sandbox.webhookUrl).port)
    return sandbox.close
  })

  const get = async (path: string, host = `localhost:${port}`, method = 'GET') => {
    const request = http.request({ host: 'localhost', port, path, method, headers: { host } }).end()
    const response = await new Promise<http.IncomingMessage>((resolve) => request.on('response', resolve))
    // The events have no end.
    if (response.headers['content-type'] === 'text/event-stream') request.destroy()
    else return { status: response.statusCode, body: await text(response) }
    return { status: response.statusCode, body: '' }
  }

  const PATHS = ['/webhook', '/webhook/messages', '/v1/chat/messages', '/endpoint', '/', '/events', '/nowhere', '/%zz']

  it.each(PATHS)('refuses a Host that is not this machine’s: %s', async (path) => {
    for (const host of [
      'attacker.example',
      `attacker.example:${port}`,
      'localhost.attacker.example',
      '10.0.0.1',
      'x127.0.0.1',
    ]) {
      const answer = await get(path, host)
      expect(answer.status).toBe(421)
      expect(answer.body).toContain('this machine')
    }
  })

  it('refuses a request that names no host', async () => {
    const socket = connect(port, 'localhost')
    socket.end('GET / HTTP/1.0\r\n\r\n')
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 421 /)
  })

  it.each([...PATHS, '/control'])('takes this machine’s names: %s', async (path) => {
    for (const host of ['localhost', `LOCALHOST:${port}`, '127.0.0.1', '127.0.0.2', `[::1]:${port}`]) {
      expect((await get(path, host)).status).not.toBe(421)
    }
  })

  it.each(['app.localhost', 'host.docker.internal:3000'])('only takes backends by the name %s', async (host) => {
    for (const path of ['/', '/events', '/page/main.js', '/exchanges/1', '/control', '/control/received']) {
      expect([path, (await get(path, host)).status]).toEqual([path, 421])
    }
    for (const path of ['/webhook', '/v1/chat/messages', '/endpoint']) {
      expect([path, (await get(path, host)).status]).not.toEqual([path, 421])
    }
  })

  it.each([
    '//',
    '///webhook',
    '/nowhere',
    '/nowhere/webhook',
    '/webhook2',
    '/%zz',
    `/${'a'.repeat(1000)}`,
    '/%2F',
    '/v1/nothing',
    '/?a=b//c',
  ])('that is not there is a 404 that says where the webhook is: %s', async (path) => {
    for (const method of ['GET', 'POST']) {
      if (path.startsWith('/?') && method === 'GET') continue
      const { status, body } = await get(path, undefined, method)
      expect([status, JSON.parse(body)]).toEqual([
        404,
        expect.objectContaining({
          type: 'ResourceNotFound',
          message: expect.stringContaining(`The webhook is ${sandbox.webhookUrl}`),
        }),
      ])
    }
  })

  it.each([
    ['the whole URL', 'POST http://localhost/webhook', 401],
    ['the whole URL, of https', 'POST https://localhost/webhook', 401],
    ['the whole URL of another path', 'POST http://localhost/webhook/else', 404],
    ['an asterisk', 'OPTIONS *', 404],
  ])('may be asked for in another form: %s', async (_what, request, status) => {
    const socket = connect(port, 'localhost')
    socket.write(`${request} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`)
    expect(await text(socket)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
  })
})

it.each(['127.0.0.1', '::1'])('does not start if another program has the port on %s alone', async (host) => {
  const other = http.createServer()
  onTestFinished(() => void other.close())
  await once(other.listen({ host, port: 0, ipv6Only: true }), 'listening')
  const { port } = other.address() as AddressInfo
  await expect(startSandbox({ port })).rejects.toMatchObject({ code: 'EADDRINUSE', port })
})
