import http from 'node:http'
import { describe, expect, it } from 'vitest'
import { checkBackend, requestsOf } from '../../sandbox/check-backend/check-backend'
import { demoMessages } from '../../sandbox/bot/demo-messages'
import { failedIn, FAST, OPTIONS, resultOf } from './checked'
import { hasKey, isFresh, isSigned, isText, isVerified, KEY, serve, type Slip, startBackend } from './slipping-backend'

describe('a backend that gets everything right', () => {
  it('passes every check, with the headers that the integration sends, and no more requests than were told of', async () => {
    const lacking: string[] = []
    let count = 0
    const endpoint = await startBackend(({ headers, body }) => {
      count++
      const names = ['webhook-id', 'webhook-timestamp', 'user-agent', 'content-type', 'botpress-created-at']
      if (body && body.type !== 'test') lacking.push(...names.filter((name) => !headers[name]))
      return undefined
    })
    const results = await checkBackend({ endpoint, ...OPTIONS }, FAST)
    expect(results.filter(({ outcome, advice }) => outcome !== 'passed' || advice !== undefined)).toEqual([])
    expect(results).toHaveLength(32)
    expect(resultOf(results, 'takes messages over a kept connection').received).toMatch(/, over the same$/)
    expect(lacking).toEqual([])
    expect(count).toBe(requestsOf({ endpoint, ...OPTIONS }, FAST))
  })

  it.each<[what: string, respond: http.RequestListener]>([
    [
      'is broken off',
      (_request, response) =>
        void response.writeHead(200, { 'content-length': 9 }).write('x', () => response.destroy()),
    ],
    [
      'is not what its encoding says',
      (_request, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end('x'),
    ],
    ['is large', (_request, response) => void response.end('x'.repeat(1_500_000))],
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
    [
      'it takes two at a time',
      async ({ open }) => {
        await new Promise((resolve) => setTimeout(resolve, 50))
        return open > 2 ? 503 : undefined
      },
      'takes 3 at once',
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

  it('each of these messages', async () => {
    const endpoint = await startBackend((seen) => {
      const { body, text: content } = seen
      if (body && !KNOWN.has(body.type)) return 422
      // Its table has three bytes a character, its bodies have 100,000 bytes, and it takes the text for granted.
      if (/[\u{10000}-\u{10ffff}]/u.test(content)) return 500
      if (content.length > 100_000) return 413
      return isText(seen) && body!.payload['text'] === undefined ? 500 : undefined
    })
    const results = await checkBackend({ endpoint, ...OPTIONS }, FAST)
    const checks = ['takes a type never heard of', 'takes unicode', 'takes 100 kB', 'takes an empty payload']
    expect(failedIn(results)).toEqual(checks)
    for (const check of checks) expect(resultOf(results, check).advice).toMatch(/\.$/)
  })

  it('whatever is no ASCII, where it reads bodies as such before it verifies them', async () => {
    const endpoint = await startBackend((seen) => {
      const asRead = { ...seen, text: seen.text.replaceAll(/[^\0-\x7f]/g, '\ufffd') }
      return hasKey(seen) && isVerified(seen) && !isVerified(asRead) ? 401 : undefined
    })
    const failed = failedIn(await checkBackend({ endpoint, ...OPTIONS }, FAST))
    const samples = ['takes the type markdown', 'takes the type location', 'takes the type bloc']
    expect(failed.toSorted()).toEqual(['takes a signed message', ...samples, 'takes unicode'].toSorted())
  })

  it('each of these types', async () => {
    const types = Object.keys(demoMessages(''))
    const endpoint = await startBackend(({ body }) => (types.includes(body?.type ?? '') ? 422 : undefined))
    const results = await checkBackend({ endpoint, ...OPTIONS }, FAST)
    expect(failedIn(results)).toEqual(types.map((type) => `takes the type ${type}`))
    for (const type of types) {
      const { sent, advice } = resultOf(results, `takes the type ${type}`)
      expect(sent).toMatch(new RegExp(`^${type} `))
      expect(advice).toContain(`the type ${type} too`)
    }
  })
})
