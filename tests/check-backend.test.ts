import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { checkBackend, LIMITS, requestsOf, type Result } from '../check-backend/check-backend'
import { demoMessages } from '../sandbox/bot/demo-messages'
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

const failedIn = (results: Result[]) => results.filter(({ outcome }) => outcome === 'failed').map(({ check }) => check)

const resultOf = (results: Result[], check: string) => results.find((result) => result.check === check)!

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
