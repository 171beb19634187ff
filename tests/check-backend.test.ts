import { spawn } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { checkBackend, LIMITS, requestsOf, type Result } from '../check-backend/check-backend'
import { demoMessages } from '../sandbox/bot/demo-messages'
import { selfSigned } from './self-signed'
import {
  HEADER,
  hasKey,
  isFresh,
  isSigned,
  isText,
  isVerified,
  KEY,
  SECRET,
  type Slip,
  startBackend,
} from './slipping-backend'

const OPTIONS = { signingSecret: SECRET, endpointHeader: HEADER }

/** Shorter and fewer than for people, where a test has not to do with them. */
const FAST = { ...LIMITS, answerMs: 3000, atOnce: 4 }

const serve = async (listener: http.RequestListener): Promise<string> => {
  const server = http.createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

const failedIn = (results: Result[]) => results.filter(({ outcome }) => outcome === 'failed').map(({ check }) => check)

const resultOf = (results: Result[], check: string) => results.find((result) => result.check === check)!

describe('a backend that gets everything right', () => {
  it('passes every check', async () => {
    const results = await checkBackend({ endpoint: await startBackend(), ...OPTIONS }, FAST)
    expect(results.filter(({ outcome, advice }) => outcome !== 'passed' || advice !== undefined)).toEqual([])
    expect(results).toHaveLength(32)
    expect(resultOf(results, 'takes messages over a kept connection').received).toMatch(/, over the same$/)
  })

  it('gets every message of the bot with the headers that the integration sends', async () => {
    const lacking: string[] = []
    const endpoint = await startBackend(({ headers, body }) => {
      const names = ['webhook-id', 'webhook-timestamp', 'user-agent', 'content-type', 'botpress-created-at']
      if (body && body.type !== 'test') lacking.push(...names.filter((name) => !headers[name]))
      return undefined
    })
    await checkBackend({ endpoint, ...OPTIONS }, FAST)
    expect(lacking).toEqual([])
  })

  it.each<[what: string, respond: http.RequestListener]>([
    ['has no end', (_request, response) => void response.writeHead(200).write('and so on ')],
    [
      'is broken off',
      (_request, response) =>
        void response.writeHead(200, { 'content-length': 9 }).write('x', () => response.destroy()),
    ],
    [
      'is not what its encoding says',
      (_request, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end('x'),
    ],
    ['is large', (_request, response) => void response.end('x'.repeat(5_000_000))],
    [
      'is an event stream',
      (_request, response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).write(':'),
    ],
  ])('may give an answer whose body %s', async (_what, respond) => {
    const endpoint = await serve((request, response) => {
      request.resume().once('end', () => respond(request, response))
    })
    expect(failedIn(await checkBackend({ endpoint }, FAST))).toEqual([])
  })

  it('may take user and password as it decodes them', async () => {
    const credentials = 'bot:pass12'
    const endpoint = await serve((request, response) => {
      const given = Buffer.from(request.headers.authorization?.slice(6) ?? '', 'base64').toString()
      request.resume().once('end', () => response.writeHead(given === credentials ? 204 : 401).end())
    })
    const endpointHeader = `Authorization: Basic ${Buffer.from(credentials).toString('base64')}`
    const results = await checkBackend({ endpoint, endpointHeader }, FAST)
    expect(failedIn(results)).toEqual([])
    expect(resultOf(results, 'refuses a wrong header').outcome).toBe('passed')
  })

  it('is not asked for signatures and a header that it does not know of', async () => {
    const endpoint = await startBackend(({ method, body }) => (method === 'POST' ? (body ? 204 : 400) : undefined))
    const results = await checkBackend({ endpoint }, FAST)
    expect(failedIn(results)).toEqual([])
    const left = results.filter(({ outcome }) => outcome === 'not applicable')
    expect(left.map(({ check, received }) => [check, received])).toEqual([
      ['takes a signed message', 'no --secret was given'],
      ['refuses an unsigned message', 'no --secret was given'],
      ['refuses a wrongly signed message', 'no --secret was given'],
      ['refuses a changed message', 'no --secret was given'],
      ['refuses an old message', 'no --secret was given'],
      ['takes the second of two signatures', 'no --secret was given'],
      ['refuses a message without the header', 'no --header was given'],
      ['refuses a wrong header', 'no --header was given'],
    ])
  })

  it('gets each message once, and no more requests than were told of', async () => {
    let count = 0
    const endpoint = await startBackend(() => void count++)
    await checkBackend({ endpoint, ...OPTIONS }, FAST)
    // The registration’s second form was not needed.
    expect(count).toBe(requestsOf({ endpoint, ...OPTIONS }, FAST) - 1)
  })

  it('gets each message once where it fails too', async () => {
    const tries = new Map<string, number>()
    const endpoint = await startBackend(({ headers, text: body, method }) => {
      const key = `${method} ${headers['webhook-id']} ${body}`
      if (method === 'POST' && body.includes('Url')) tries.set(key, (tries.get(key) ?? 0) + 1)
      return body.includes('Url') ? 503 : undefined
    })
    const results = await checkBackend({ endpoint, ...OPTIONS }, FAST)
    expect(failedIn(results).length).toBeGreaterThan(3)
    expect(new Set(tries.values())).toEqual(new Set([1]))
  })
})

describe('a backend that gets one thing wrong fails exactly that check:', () => {
  const KNOWN = new Set(['test', 'text', ...Object.keys(demoMessages(''))])
  let isBroken = false

  it.each<[what: string, slip: Slip, check: string]>([
    [
      'it refuses the test message',
      ({ body }) => (body?.type === 'test' ? 400 : undefined),
      'takes the registration’s test message',
    ],
    [
      'it breaks kept connections',
      ({ onConnection, socket }) => (onConnection > 1 ? (socket.destroy(), 'nothing') : undefined),
      'takes messages over a kept connection',
    ],
    ['it never answers', (seen) => (isText(seen) ? 'nothing' : undefined), 'answers within 10 s'],
    ...Object.keys(demoMessages('')).map((type): [string, Slip, string] => [
      `it refuses the type ${type}`,
      ({ body }) => (body?.type === type ? 422 : undefined),
      `takes the type ${type}`,
    ]),
    [
      'it refuses what it does not know',
      ({ body }) => (body && !KNOWN.has(body.type) ? 422 : undefined),
      'takes a type never heard of',
    ],
    [
      'its table has three bytes a character',
      ({ text: body }) => (/[\u{10000}-\u{10ffff}]/u.test(body) ? 500 : undefined),
      'takes unicode',
    ],
    ['its bodies have 100,000 bytes', ({ text: body }) => (body.length > 100_000 ? 413 : undefined), 'takes 100 kB'],
    [
      'it takes the text for granted',
      (seen) => (isText(seen) && seen.body!.payload['text'] === undefined ? 500 : undefined),
      'takes an empty payload',
    ],
    [
      'it takes two at a time',
      async ({ open }) => {
        await new Promise((resolve) => setTimeout(resolve, 50))
        return open > 2 ? 503 : undefined
      },
      'takes 4 at once',
    ],
    ['it refuses repeats', ({ ofId }) => (ofId > 1 ? 409 : undefined), 'takes the same webhook-id twice'],
    [
      'it verifies what is signed',
      (seen) => (hasKey(seen) && !seen.headers['webhook-signature'] ? 204 : undefined),
      'refuses an unsigned message',
    ],
    [
      'it compares the beginning of the signature',
      (seen) =>
        hasKey(seen) && isFresh(seen) && isSigned(seen, (right, given) => given.startsWith(right.slice(0, 12)))
          ? 204
          : undefined,
      'refuses a wrongly signed message',
    ],
    [
      'it takes what was changed',
      ({ text: body }) => (body.includes('Changed') ? 204 : undefined),
      'refuses a changed message',
    ],
    [
      'it has no clock',
      (seen) => (hasKey(seen) && isSigned(seen, (right, given) => given.includes(right)) ? 204 : undefined),
      'refuses an old message',
    ],
    [
      'it looks at the first signature',
      ({ headers }) => (headers['webhook-signature']?.includes(' ') ? 401 : undefined),
      'takes the second of two signatures',
    ],
    [
      'it compares the header where it is there',
      (seen) => (isVerified(seen) && seen.headers['x-api-key'] === undefined ? 204 : undefined),
      'refuses a message without the header',
    ],
    [
      'it compares the beginning of the header',
      (seen) => (isVerified(seen) && seen.headers['x-api-key']?.startsWith(KEY.slice(0, 5)) ? 204 : undefined),
      'refuses a wrong header',
    ],
    ['it fails on a GET', ({ method }) => (method === 'GET' ? 500 : undefined), 'bears a GET'],
    [
      'it fails on what is not JSON',
      ({ method, body }) => (method === 'POST' && !body ? 500 : undefined),
      'bears a body that is not JSON',
    ],
    [
      'it falls over what is not JSON',
      ({ method, body }) => {
        isBroken ||= method === 'POST' && !body
        return isBroken && body ? 500 : undefined
      },
      'bears a body that is not JSON',
    ],
  ])('%s', async (_what, slip, check) => {
    isBroken = false
    const results = await checkBackend({ endpoint: await startBackend(slip), ...OPTIONS }, FAST)
    expect(failedIn(results)).toEqual([check])
    const { sent, received, advice } = resultOf(results, check)
    expect(sent).not.toBe('')
    expect(received).not.toBe('')
    expect(advice).toMatch(/\.$/)
  })
})

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

  it('is that nobody listens, and what is of no use then', async () => {
    const results = await checkBackend({ endpoint: 'http://127.0.0.1:1/bot', ...OPTIONS }, FAST)
    expect(failedIn(results)).toEqual(['takes the registration’s test message', 'answers within 10 s'])
    expect(resultOf(results, 'answers within 10 s').received).toContain('ECONNREFUSED')
    expect(resultOf(results, 'takes unicode')).toEqual({
      check: 'takes unicode',
      outcome: 'not applicable',
      sent: '',
      received: 'of no use where “answers within 10 s” fails',
    })
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
      outcome: 'not applicable',
      received: 'there was no time left: it answers too slowly',
    })
  })

  it('tells a type that ends the backend from what comes after it', async () => {
    const server = http.createServer((request, response) => {
      let content = ''
      request.on('data', (chunk) => (content += chunk))
      request.once('end', () => {
        if (!content.includes('"type":"carousel"')) return response.writeHead(204).end()
        server.close()
        server.closeAllConnections()
        return undefined
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const results = await checkBackend({ endpoint }, FAST)
    expect(failedIn(results)).toEqual(['takes the type carousel'])
    expect(resultOf(results, 'takes the type choice')).toMatchObject({
      outcome: 'not applicable',
      received: 'nobody listens there any more, after “takes the type carousel” failed',
    })
  })

  it('says what to do about a certificate, and about a limit, in the words of the command', async () => {
    const server = https.createServer(selfSigned, (_request, response) => response.end())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const secure = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const [test] = await checkBackend({ endpoint: secure }, FAST)
    expect(test!.advice).toMatch(/has a certificate that is not trusted .* Give the endpoint a certificate/)
    const unauthorized = await checkBackend({ endpoint: await startBackend(() => 401), ...OPTIONS }, FAST)
    expect(resultOf(unauthorized, 'answers within 10 s').advice).toMatch(/the secret that --secret gave.* --header is/)
    const limited = await checkBackend({ endpoint: await startBackend(() => 413), ...OPTIONS }, FAST)
    expect(resultOf(limited, 'answers within 10 s').advice).toMatch(/this one has [1-9]\d+ bytes/)
    const silent = await checkBackend(
      { endpoint: await startBackend(() => 'nothing'), ...OPTIONS },
      { ...FAST, answerMs: 200 }
    )
    expect(resultOf(silent, 'answers within 10 s').advice).toBe('Answer 2xx at once, before the work is done.')
  })

  it('has nothing in it that a terminal would obey', async () => {
    const endpoint = await serve((_request, response) => response.writeHead(400).end('\u001B[31mred\u0007'))
    // oxlint-disable-next-line no-control-regex
    expect(JSON.stringify(await checkBackend({ endpoint }, FAST))).not.toMatch(/\\u00(1|0)/)
  })

  it.each([
    ['whole', () => `${SECRET} ${HEADER}`],
    ['cut where a line ends', () => `${'x'.repeat(40)} ${HEADER}`],
    ['of the query', (request: http.IncomingMessage) => `no route ${request.url}`],
  ])('holds no secret, though the backend echoes it: %s', async (_what, echo) => {
    const endpoint = await serve((request, response) => response.writeHead(400).end(echo(request)))
    const header = { signingSecret: SECRET, endpointHeader: `Authorization: Bearer ${KEY}` }
    const results = JSON.stringify(await checkBackend({ endpoint: `${endpoint}?key=${KEY}`, ...header }, FAST))
    expect(results).toContain('•••')
    expect(results).not.toContain(SECRET.slice(6, 20))
    expect(results).not.toContain(KEY.slice(0, 8))
  })
})
