import { execFile, spawn } from 'node:child_process'
import http from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { Webhook } from 'standardwebhooks'
import { describe, expect, it, onTestFinished } from 'vitest'
import { checkBackend, LIMITS, requestsOf, type Result } from '../check-backend/check-backend'
import { demoMessages } from '../sandbox/bot/demo-messages'

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const KEY = 'the-value-that-it-asks-for'
const HEADER = `x-api-key: ${KEY}`
const OPTIONS = { signingSecret: SECRET, endpointHeader: HEADER }

/** Shorter and fewer than for people, where a test has not to do with them. */
const FAST = { ...LIMITS, answerMs: 3000, atOnce: 4 }

type Seen = {
  method: string
  headers: Record<string, string>
  text: string
  /** Absent where the body is no JSON. */
  body?: { type: string; payload: Record<string, unknown> }
  socket: Socket
  /** How many requests are under way. */
  open: number
  /** How many came over the same connection until now. */
  onConnection: number
  /** How many had the same `webhook-id` until now. */
  ofId: number
}

/** What is answered; `undefined` as a right backend does. */
type Slip = (seen: Seen) => number | 'nothing' | undefined | Promise<number | 'nothing' | undefined>

const isVerified = ({ headers, text: body }: Seen): boolean => {
  try {
    new Webhook(SECRET).verify(body, headers)
    return true
  } catch {
    return false
  }
}

const rightAnswer = (seen: Seen): number => {
  if (seen.method !== 'POST') return 405
  if (!hasKey(seen)) return 403
  if (!isVerified(seen)) return 401
  return seen.body ? 204 : 400
}

const parsed = (body: string): Seen['body'] => {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

/** Starts a backend that is right but for a slip. */
const startBackend = async (slip: Slip = () => undefined): Promise<string> => {
  const connections = new Map<Socket, number>()
  const ids = new Map<string, number>()
  let open = 0
  const server = http.createServer({ keepAliveTimeout: 60_000 }, async (request, response) => {
    open++
    response.once('close', () => open--)
    const content = await text(request)
    const { socket } = request
    const headers = request.headers as Record<string, string>
    const id = headers['webhook-id'] ?? ''
    connections.set(socket, (connections.get(socket) ?? 0) + 1)
    ids.set(id, (ids.get(id) ?? 0) + 1)
    const seen: Seen = {
      method: request.method!,
      headers,
      text: content,
      body: parsed(content),
      socket,
      open,
      onConnection: connections.get(socket)!,
      ofId: ids.get(id)!,
    }
    const status = (await slip(seen)) ?? rightAnswer(seen)
    if (status !== 'nothing') response.writeHead(status, { location: '/elsewhere' }).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/bot`
}

const freePort = async (): Promise<number> => {
  const server = http.createServer()
  await new Promise<void>((resolve) => server.listen(0, resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

const failedIn = (results: Result[]) => results.filter(({ outcome }) => outcome === 'failed').map(({ check }) => check)

const resultOf = (results: Result[], check: string) => results.find((result) => result.check === check)!

const hasKey = ({ headers }: Seen) => headers['x-api-key'] === KEY

const isFresh = ({ headers }: Seen) => Math.abs(Date.now() / 1000 - Number(headers['webhook-timestamp'])) < 300

const isText = ({ body }: Seen) => body?.type === 'text'

/** Whether the signature is right, by a comparison of its own. */
const isSigned = ({ headers, text: body }: Seen, compare: (right: string, given: string) => boolean): boolean => {
  const { 'webhook-id': id = '', 'webhook-timestamp': timestamp = '', 'webhook-signature': given = '' } = headers
  return compare(new Webhook(SECRET).sign(id, new Date(Number(timestamp) * 1000), body), given)
}

describe('a backend that gets everything right', () => {
  it('passes every check', async () => {
    const results = await checkBackend({ endpoint: await startBackend(), ...OPTIONS }, FAST)
    expect(results.filter(({ outcome }) => outcome !== 'passed')).toEqual([])
    expect(results).toHaveLength(32)
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
      (seen) => (isVerified(seen) && seen.headers['x-api-key']?.startsWith(KEY) ? 204 : undefined),
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

describe('what was found', () => {
  it('explains a redirect, and where it leads', async () => {
    const results = await checkBackend({ endpoint: await startBackend(() => 307), ...OPTIONS }, FAST)
    expect(failedIn(results)).toEqual(['takes the registration’s test message', 'answers within 10 s'])
    const { received, advice } = resultOf(results, 'answers within 10 s')
    expect(received).toMatch(/^307, a redirect to \/elsewhere, in \d+ ms$/)
    expect(advice).toContain('to the address that takes the messages itself')
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
    expect(resultOf(results, 'takes unicode').received).toMatch(/time was over|of no use/)
    expect(failedIn(results)).not.toEqual([])
  })

  it('holds no secret, though the backend echoes it', async () => {
    const server = http.createServer((request, response) => {
      request.resume()
      response.writeHead(400).end(`${SECRET} ${request.headers['x-api-key']}`)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const results = JSON.stringify(await checkBackend({ endpoint, ...OPTIONS }, FAST))
    expect(results).toContain('••• •••')
    expect(results).not.toContain(SECRET)
    expect(results).not.toContain(KEY)
  })
})

type Outcome = { code: number; stdout: string; stderr: string }

/** Runs `npm run check-backend` without its build, to its end. */
const run = (...options: string[]): Promise<Outcome> =>
  promisify(execFile)(process.execPath, ['--import', 'tsx', 'check-backend/cli.ts', ...options], {
    // What asks for colours, and yet is no terminal.
    env: { ...process.env, CI: 'true', NO_COLOR: '' },
  }).then(
    (output) => ({ code: 0, ...output }),
    (error: Outcome) => error
  )

describe('npm run check-backend', () => {
  it.each([
    ['node', process.execPath, 'examples/node/backend.mjs'],
    ['python', 'python3', 'examples/python/backend.py'],
  ])('passes the example in %s', async (_language, command, file) => {
    const env = { ...process.env, WEBHOOK_URL: 'http://127.0.0.1:1/', ACCESS_KEY: 'x', SIGNING_SECRET: SECRET }
    const port = await freePort()
    const example = spawn(command, [file], {
      env: { ...env, PORT: String(port) },
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    onTestFinished(() => void example.kill('SIGKILL'))
    let output = ''
    example.stdout.on('data', (chunk) => (output += chunk))
    await expect.poll(() => output).toContain('Listening')
    const { code, stdout, stderr } = await run('--endpoint', `http://127.0.0.1:${port}/bot`, '--secret', SECRET)
    expect(stdout).toContain('30 passed, 0 failed, 2 not applicable')
    expect(stderr).toBe(`Sends http://127.0.0.1:${port}/bot up to 53 requests, within a minute.\n\n`)
    expect(code).toBe(0)
    // What it could not do comes after the answer: it goes on all the same.
    expect(output).toContain('check-backend: Hello')
    // oxlint-disable-next-line no-control-regex
    expect(stdout).not.toMatch(/\u001b/)
  })

  it('prints a line for each check; of one that failed what was sent, what came back, and what to do', async () => {
    const endpoint = await startBackend(({ body }) => (body?.type === 'audio' ? 422 : undefined))
    const { code, stdout } = await run('--endpoint', endpoint, '--secret', SECRET, '--header', HEADER)
    expect(code).toBe(1)
    const lines = stdout.split('\n')
    expect(lines.filter((line) => line.startsWith('passed'))).toHaveLength(31)
    const at = lines.findIndex((line) => line.startsWith('failed'))
    expect(lines[at]).toMatch(/^failed +takes the type audio +audio \{"audioUrl".* 422 in \d+ ms/)
    expect(lines[at + 1]).toMatch(/^ +sent: audio \{"audioUrl":"http.*bell\.wav"\}$/)
    expect(lines[at + 2]).toMatch(/^ +came back: 422 in \d+ ms$/)
    expect(lines[at + 3]).toMatch(/^ +to do: Answer 2xx to the type audio too/)
    expect(stdout).toContain('31 passed, 1 failed, 0 not applicable')
  })

  it('prints JSON alone for machines', async () => {
    const endpoint = await startBackend(({ method }) => (method === 'GET' ? 500 : undefined))
    const { code, stdout } = await run(
      '--endpoint',
      `${endpoint}?key=hidden`,
      '--secret',
      SECRET,
      '--header',
      HEADER,
      '--json'
    )
    expect(code).toBe(1)
    const report = JSON.parse(stdout)
    expect([report.endpoint, report.failed, report.checks.length]).toEqual([endpoint, 1, 32])
    expect(report.checks.find(({ outcome }: Result) => outcome === 'failed')).toEqual({
      check: 'bears a GET',
      outcome: 'failed',
      sent: 'GET',
      received: expect.stringMatching(/^500 in \d+ ms$/),
      advice: expect.stringContaining('405'),
    })
    expect(stdout).not.toContain('hidden')
  })

  it.each([
    [[], '--endpoint is missing: npm run check-backend -- --endpoint http://localhost:8080/bot'],
    [['--endpoint', 'bot'], '--endpoint is not a URL.'],
    [['--endpoint', 'ftp://127.0.0.1/'], '--endpoint begins with "ftp:"'],
    [['--endpoint', 'http://127.0.0.1:1/', '--secret', 'short'], '--secret is malformed.'],
    [['--endpoint', 'http://127.0.0.1:1/', '--header', 'none'], '--header is malformed.'],
    [['--endpoint', 'http://nobody.invalid/'], 'nobody.invalid is not found (ENOTFOUND)'],
    [['--endpoint', 'https://192.0.2.1/bot'], '192.0.2.1 is not this machine (192.0.2.1), and nothing was sent.'],
    [['--endpint', 'x'], 'The options are --endpoint URL'],
  ])('%j ends with 2: %s', async (options, words) => {
    const { code, stdout, stderr } = await run(...options)
    expect(stderr).toContain(words)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).not.toMatch(/\n {4}at /)
  })

  it('sends to others where that is said', async () => {
    const endpoint = await startBackend()
    const { code } = await run('--endpoint', endpoint, '--secret', SECRET, '--header', HEADER, '--yes-send-to-others')
    expect(code).toBe(0)
  })

  it('prints its options', async () => {
    const { code, stdout } = await run('--help')
    expect(code).toBe(0)
    for (const option of ['--endpoint URL', '--secret whsec_…', '--header', '--yes-send-to-others', '--json']) {
      expect(stdout).toContain(option)
    }
  })
})
