import { spawn } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import { describe, expect, it, onTestFinished } from 'vitest'
import { checkBackend } from '../../sandbox/check-backend/check-backend'
import { hostForTest } from '../harness/host-for-test'
import { failedIn, FAST, OPTIONS, resultOf } from './checked'
import { selfSigned } from '../harness/self-signed'
import { HEADER, isText, KEY, SECRET, serve, type Slip, startBackend } from './slipping-backend'

/** A backend in Python that serves one connection after the other, and keeps them. */
const ONE_CONNECTION = `
from http.server import BaseHTTPRequestHandler, HTTPServer
class Endpoint(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(204)
        self.end_headers()
    def log_message(self, *_):
        pass
server = HTTPServer(("127.0.0.1", 0), Endpoint)
print(server.server_port, flush=True)
server.serve_forever()
`

describe('what was found', () => {
  it('is that a kept connection keeps others out', async () => {
    const backend = spawn('python3', ['-c', ONE_CONNECTION], { stdio: ['ignore', 'pipe', 'ignore'] })
    onTestFinished(() => void backend.kill('SIGKILL'))
    const [port] = await once(backend.stdout, 'data')
    const results = await checkBackend({ endpoint: `http://127.0.0.1:${Number(port)}/` }, { ...FAST, answerMs: 1000 })
    expect(failedIn(results)).toEqual(['takes messages over a kept connection'])
    expect(resultOf(results, 'takes messages over a kept connection').advice).toContain('several connections at a time')
  })

  it('explains a redirect, and where it leads', async () => {
    const results = await checkBackend({ endpoint: await startBackend(() => 307), ...OPTIONS }, FAST)
    expect(failedIn(results)).toEqual(['takes the registration’s test message', 'answers within 10 s'])
    const { received, advice } = resultOf(results, 'answers within 10 s')
    expect(received).toMatch(/^307, a redirect to http:\/\/127\.0\.0\.1:\d+\/elsewhere, in \d+ ms$/)
    expect(advice).toBe('Set --endpoint to the address that takes the messages itself.')
    // Nor is it followed by the check itself.
    expect(resultOf(results, 'takes messages over a kept connection').received).toMatch(/^307/)
  })

  it('is nothing if nobody listens: that is said in one line', async () => {
    await expect(checkBackend({ endpoint: 'http://127.0.0.1:1/bot', ...OPTIONS }, FAST)).rejects.toThrow(
      /^Nobody listens at 127\.0\.0\.1:1: start the backend first\.$/
    )
  })

  it('advises to answer within 1 s, and fails nothing for that', async () => {
    let texts = 0
    const slow: Slip = async (seen) => {
      // Of the third one, the time is taken.
      if (isText(seen) && ++texts <= 3) await new Promise((resolve) => setTimeout(resolve, 1100))
      return undefined
    }
    const results = await checkBackend({ endpoint: await startBackend(slow), ...OPTIONS }, FAST)
    expect(failedIn(results)).toEqual([])
    expect(resultOf(results, 'answers within 10 s').advice).toContain('within 1 s')
  })

  it('is there when the time is over, whatever is not done', async () => {
    const results = await checkBackend({ endpoint: await startBackend(), ...OPTIONS }, { ...FAST, totalMs: 1 })
    expect(results).toHaveLength(32)
    expect(resultOf(results, 'takes unicode')).toMatchObject({
      outcome: 'not made',
      received: 'there was no time left: it answers too slowly',
    })
  })

  it.each([
    ['without an answer', false],
    ['after it has answered', true],
  ])('tells a type that ends the backend, %s, from what comes after it', async (_when, answers) => {
    const server = http.createServer((request, response) => {
      let content = ''
      request.on('data', (chunk) => (content += chunk))
      request.once('end', () => {
        const ends = content.includes('"type":"carousel"')
        if (ends) server.close()
        if (answers || !ends) response.writeHead(204).end()
        if (ends) setTimeout(() => server.closeAllConnections(), answers ? 10 : 0)
      })
    })
    const results = await checkBackend({ endpoint: `http://${await hostForTest(server)}/` }, FAST)
    expect(failedIn(results)).toEqual(['takes the type carousel'])
    expect(resultOf(results, 'takes the type carousel')).toMatchObject({
      received: expect.stringMatching(/; then nobody listened there any more$/),
      advice: 'See in the backend’s own log why it ended.',
    })
    expect(resultOf(results, 'takes the type choice')).toMatchObject({
      outcome: 'not applicable',
      received: 'of no use where “takes the type carousel” fails',
    })
  })

  it('says what to do about a certificate, and about a limit, in the words of the command', async () => {
    const server = https.createServer(selfSigned, (_request, response) => response.end())
    const [test] = await checkBackend({ endpoint: `https://${await hostForTest(server)}/` }, FAST)
    expect(test!.advice).toMatch(/has a certificate that is not trusted .* Give the endpoint a certificate/)
    const unauthorized = await checkBackend({ endpoint: await startBackend(() => 401), ...OPTIONS }, FAST)
    expect(resultOf(unauthorized, 'answers within 10 s').advice).toMatch(/the secret that --secret gave.* --header is/)
    const limited = await checkBackend({ endpoint: await startBackend(() => 413), ...OPTIONS }, FAST)
    expect(resultOf(limited, 'answers within 10 s').advice).toMatch(/this one has [1-9]\d+ bytes/)
  })

  it('has nothing in it that a terminal would obey', async () => {
    const endpoint = await serve((_request, response) => response.writeHead(400).end('\u001B[31mred\u0007'))
    // oxlint-disable-next-line no-control-regex
    expect(JSON.stringify(await checkBackend({ endpoint }, FAST))).not.toMatch(/\\u00(1|0)/)
  })

  it.each([
    ['whole, and of the query', ({ url }: http.IncomingMessage) => `no route ${url} ${SECRET} ${HEADER}`],
    ['cut where a line ends', () => `${'x'.repeat(40)} ${HEADER}`],
  ])('holds no secret, though the backend echoes it: %s', async (_what, echo) => {
    const endpoint = await serve((request, response) => response.writeHead(400).end(echo(request)))
    const header = { signingSecret: SECRET, endpointHeader: `Authorization: Bearer ${KEY}` }
    const results = JSON.stringify(await checkBackend({ endpoint: `${endpoint}?key=${KEY}`, ...header }, FAST))
    expect(results).toContain('•••')
    expect(results).not.toContain(SECRET.slice(6, 20))
    expect(results).not.toContain(KEY.slice(0, 8))
  })
})
