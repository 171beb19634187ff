import dns from 'node:dns'
import https from 'node:https'
import { syncBuiltinESMExports } from 'node:module'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { endpointForTest } from '../../tests/harness/for-test'
import { selfSigned } from '../../tests/harness/self-signed'
import { EndpointFailure } from './endpoint-failure'
import { DELIVERY, ONE_TRY, type RetryPolicy, postMessage } from './post-message'
import { hostForTest } from '../../tests/harness/host-for-test'

// The pauses are looked at, and not waited for.
vi.mock('node:timers/promises', { spy: true })

beforeEach(() => void vi.mocked(sleep).mockReset().mockResolvedValue(undefined))

const pauses = () => vi.mocked(sleep).mock.calls.map(([ms]) => ms!)

const message = {
  type: 'text',
  payload: { text: 'Hi' },
  conversationId: 'c',
  botpressUserId: 'u',
  botpressMessageId: 'm',
  botpressConversationId: 'b',
}

const post = (
  url: string,
  limits: Partial<RetryPolicy> = {},
  body: object = message
): Promise<EndpointFailure | undefined> =>
  postMessage(
    { url: new URL(url), webhooks: [] },
    { id: 'm', createdAt: '2026-11-20T21:17:38.560Z', body },
    { ...DELIVERY, ...limits }
  ).then(
    () => undefined,
    (thrown) => {
      expect(thrown).toBeInstanceOf(EndpointFailure)
      return thrown
    }
  )

/** The host of an endpoint that answers with these bytes. */
const hostThatAnswers = (bytes: string) =>
  hostForTest(createServer((socket) => socket.on('error', () => {}).once('data', () => socket.end(bytes))))

describe('how long it lasts', () => {
  it('10 s to connect, 30 s for the answer, and 4 tries at the most within 40 s, for a message of the bot', () => {
    expect(DELIVERY).toMatchObject({
      connectTimeoutMs: 10_000,
      answerTimeoutMs: 30_000,
      timeoutMs: 40_000,
      retries: 3,
    })
  })

  it('20 s in all, in one try, for a test message', () => {
    expect(ONE_TRY).toMatchObject({ connectTimeoutMs: 10_000, timeoutMs: 20_000, retries: 0 })
  })

  it('a request that was sent whole and is not answered in time may have arrived, and is not tried again', async () => {
    const endpoint = await endpointForTest(() => {})
    const failure = await post(endpoint.url, { answerTimeoutMs: 300 })
    expect(failure!.message).toBe(
      `${new URL(endpoint.url).host} took the message and did not answer in time, within 0.3 s`
    )
    expect(failure).toMatchObject({ tries: 1, details: { mayHaveArrived: true } })
    expect(endpoint.messages()).toHaveLength(1)
  })

  it('a request that could not be sent whole in time is tried again', async () => {
    const host = await hostForTest(createServer({ pauseOnConnect: true }))
    const failure = await post(`http://${host}`, { answerTimeoutMs: 50 }, { text: 'x'.repeat(30_000_000) })
    expect(failure!.message).toBe(`${host} did not take the whole message in time, within 0.05 s`)
    expect(failure).toMatchObject({ tries: 4, details: { isTemporary: true } })
    expect(failure!.details.mayHaveArrived).toBeUndefined()
  })

  it('a connection that is not made in time is tried again', async () => {
    const { lookup } = dns
    onTestFinished(() => {
      dns.lookup = lookup
      syncBuiltinESMExports()
    })
    // A name server that does not answer.
    dns.lookup = (() => {}) as never
    syncBuiltinESMExports()
    const failure = await post('http://silent.example/', { connectTimeoutMs: 20 })
    expect(failure!.message).toBe('silent.example could not be reached in time, within 0.02 s')
    expect(failure!.tries).toBe(4)
  })

  it('a name server that fails after the time is over does no harm', async () => {
    const { lookup } = dns
    let isAsked = false
    onTestFinished(() => {
      dns.lookup = lookup
      syncBuiltinESMExports()
    })
    dns.lookup = ((_name: string, _options: unknown, callback: (error: Error) => void) => {
      isAsked = true
      setTimeout(() => callback(Object.assign(new Error('late'), { code: 'EAI_AGAIN' })), 60)
    }) as never
    syncBuiltinESMExports()
    const failure = await post('http://late.example/', { connectTimeoutMs: 20, retries: 0 })
    expect(failure!.message).toContain('could not be reached in time')
    // Uncaught, it would fail the test run.
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(isAsked).toBe(true)
  })

  it('a redirect that comes when there is no time left is not followed: the message has not arrived yet', async () => {
    const endpoint = await endpointForTest((response) =>
      setTimeout(() => response.writeHead(307, { location: '/else' }).end(), 700)
    )
    const failure = await post(endpoint.url, { headTimeoutMs: 900 })
    expect(failure!.message).toMatch(/answered 307, a redirect to \S+\/else, which is not followed$/)
    expect(failure!.details.mayHaveArrived).toBe(false)
    expect(endpoint.messages()).toHaveLength(1)
  })

  it('a connection whose TLS is not agreed on in time is not made', async () => {
    const host = await hostForTest(createServer((socket) => void socket.on('error', () => {})))
    const failure = await post(`https://${host}/`, { connectTimeoutMs: 50, retries: 0 })
    expect(failure!.message).toBe(`${host} could not be reached in time, within 0.05 s`)
  })

  it('an answer may take longer than the connection', async () => {
    const endpoint = await endpointForTest((response) => void setTimeout(() => response.writeHead(204).end(), 1500))
    expect(await post(endpoint.url, { connectTimeoutMs: 1000 })).toBeUndefined()
  })

  it('ends in time altogether, a hanging endpoint included', async () => {
    let tries = 0
    const endpoint = await endpointForTest((response) => ++tries > 1 || response.writeHead(503).end())
    const failure = await post(endpoint.url, { timeoutMs: 1000, pauseMs: 1 })
    expect(failure).toMatchObject({ tries: 2, details: { mayHaveArrived: true } })
  })

  it('does not try again when the time is over after a pause, as in an instance that was frozen', async () => {
    const endpoint = await endpointForTest((response) => response.writeHead(503).end())
    vi.useFakeTimers({ toFake: ['Date'] })
    onTestFinished(() => void vi.useRealTimers())
    vi.mocked(sleep).mockImplementation(async () => void vi.setSystemTime(Date.now() + 60_000))
    expect(await post(endpoint.url)).toMatchObject({ message: expect.stringContaining('answered 503'), tries: 1 })
  })

  it('does not begin a pause that would not end in time', async () => {
    const endpoint = await endpointForTest((response) => response.writeHead(503, { 'retry-after': '9' }).end())
    const failure = await post(endpoint.url, { timeoutMs: 8000 })
    expect(failure).toMatchObject({ message: expect.stringContaining('answered 503'), tries: 1 })
    expect(pauses()).toEqual([])
  })

  it('lets an endpoint that answers in time take its time with the body', async () => {
    const endpoint = await endpointForTest((response) => response.writeHead(200).write('…'))
    expect(await post(endpoint.url)).toBeUndefined()
  })
})

describe('the pauses', () => {
  const within = (ms: number) => [ms, ms * 1.2] as const
  const expectPauses = (expected: number[]) => {
    expect(pauses()).toHaveLength(expected.length)
    expected.forEach((ms, index) => {
      const [least, most] = within(ms)
      expect(pauses()[index]).toBeGreaterThanOrEqual(least)
      expect(pauses()[index]).toBeLessThanOrEqual(most)
    })
  }

  it('grow: an endpoint that is down for five seconds misses nothing', async () => {
    const endpoint = await endpointForTest((response) => response.writeHead(503).end())
    expect((await post(endpoint.url))!.tries).toBe(4)
    expectPauses([1000, 2000, 4000])
    expect(pauses().reduce((sum, ms) => sum + ms, 0)).toBeGreaterThan(5000)
  })

  it.each([
    ['shorter than they are changes nothing', '1', [1000, 2000, 4000]],
    ['of next to nothing changes nothing', '0.001', [1000, 2000, 4000]],
    ['longer than they are is obeyed', '3', [3000, 3000, 4000]],
    ['is obeyed up to 10 s', '3600', [10_000, 10_000, 10_000]],
    ['that is malformed changes nothing', 'soon', [1000, 2000, 4000]],
  ])('a Retry-After that %s', async (_what, retryAfter, expected) => {
    const endpoint = await endpointForTest((response) => response.writeHead(503, { 'retry-after': retryAfter }).end())
    await post(endpoint.url)
    expectPauses(expected)
  })

  it('obey a Retry-After that is a date', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 1) })
    onTestFinished(() => void vi.useRealTimers())
    const headers = { 'retry-after': 'Thu, 01 Jan 2026 00:00:05 GMT' }
    const endpoint = await endpointForTest((response) => response.writeHead(503, headers).end())
    await post(endpoint.url)
    expectPauses([5000, 5000, 5000])
  })
})

describe('user and password in the URL', () => {
  it.each([
    ['user:pass', 'user:pass'],
    ['us%40er:p%3Ass', 'us@er:p:ss'],
    ['user:50%off', 'user:50%off'],
    ['user', 'user:'],
  ])('%s', async (written, sent) => {
    const endpoint = await endpointForTest()
    expect(await post(endpoint.url.replace('//', `//${written}@`), { retries: 0 })).toBeUndefined()
    expect(endpoint.messages()[0]!.headers.authorization).toBe(`Basic ${btoa(sent)}`)
  })
})

describe('connections', () => {
  it('one is used for messages one after another', async () => {
    const endpoint = await endpointForTest((response) => response.writeHead(200).end('thanks'))
    for (let count = 0; count < 5; count++) {
      await post(endpoint.url)
      await new Promise(setImmediate)
    }
    expect(endpoint.messages()).toHaveLength(5)
    expect(endpoint.connections()).toBe(1)
  })

  it('one whose request is answered before it was sent whole brings the answer all the same', async () => {
    const host = await hostForTest(
      createServer({ pauseOnConnect: true }, (socket) => {
        socket.on('error', () => {}).write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
        setTimeout(() => socket.resume(), 100)
      })
    )
    expect(await post(`http://${host}`, {}, { text: 'x'.repeat(10_000_000) })).toBeUndefined()
  })

  it('one whose answer had a body is used again too, also where the answer is a refusal', async () => {
    const endpoint = await endpointForTest((response) => response.writeHead(422).end('x'.repeat(10_000)))
    for (let count = 0; count < 3; count++) {
      await post(endpoint.url)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    expect(endpoint.connections()).toBe(1)
  })

  it('a try after one that was answered goes over the same', async () => {
    let tries = 0
    const endpoint = await endpointForTest((response) => response.writeHead(++tries < 3 ? 503 : 200).end())
    vi.mocked(sleep).mockImplementation(() => new Promise((resolve) => setTimeout(resolve, 20)))
    expect(await post(endpoint.url)).toBeUndefined()
    expect(endpoint.connections()).toBe(1)
  })
})

describe('what is wrong, in words', () => {
  it.each([
    ['/else?token=secret', /to http:\/\/127\.0\.0\.1:\d+\/else,/],
    ['https://user:password@example.com/x?token=secret', /to https:\/\/example\.com\/x,/],
    ['http://[', /to an invalid URL,/],
  ])('a redirect to %s, without what is secret', async (location, told) => {
    const endpoint = await endpointForTest((response) => response.writeHead(307, { location }).end())
    expect((await post(endpoint.url))!.message).toMatch(told)
  })

  it.each([
    [300, { location: '/choice' }],
    [304, {}],
    [302, {}],
  ])('the status %i is no redirect where it leads nowhere', async (status, headers) => {
    const endpoint = await endpointForTest((response) => response.writeHead(status, headers).end())
    expect((await post(endpoint.url))!.message).toMatch(new RegExp(`answered ${status}$`))
  })

  it.each([
    [401, 'Signing Secret'],
    [401, 'header'],
    [403, 'Signing Secret'],
    [404, 'the path'],
    [405, 'the path'],
    [413, `${JSON.stringify(message).length} bytes`],
    [422, '2xx'],
    [429, 'as many messages'],
    [500, 'own log'],
  ])('after %i, to look at %s', async (status, advice) => {
    const endpoint = await endpointForTest((response) => response.writeHead(status).end())
    const failure = await post(endpoint.url, { retries: 0 })
    expect(failure!.message).toContain(`answered ${status}`)
    expect(failure!.advice).toContain(advice)
  })

  it('a status of 000 is no delivery', async () => {
    const host = await hostThatAnswers('HTTP/1.1 000 Nothing\r\ncontent-length: 0\r\n\r\n')
    expect((await post(`http://${host}`))!.message).toBe(`${host} answered 0`)
  })

  it('an answer that is not HTTP', async () => {
    const host = await hostThatAnswers('SSH-2.0-OpenSSH_9.2\r\n')
    expect((await post(`http://${host}`))!.message).toBe(
      `${host} sent an answer that is not HTTP (HPE_INVALID_CONSTANT)`
    )
  })

  it('an answer that switches protocols', async () => {
    const host = await hostThatAnswers('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n')
    expect(await post(`http://${host}`)).toMatchObject({ message: `${host} answered 101`, tries: 1 })
  })

  it('a redirect to a URL that is not http', async () => {
    const endpoint = await endpointForTest((response) => response.writeHead(302, { location: 'mailto:a@b.c' }).end())
    expect((await post(endpoint.url))!.message).toContain('a redirect to a URL that is not http,')
  })

  it('an answer that breaks off within its head: the message may have arrived, and is not tried again', async () => {
    const host = await hostThatAnswers('HTTP/1.1 200 OK\r\ncontent-type: te')
    const failure = await post(`http://${host}`)
    expect(failure!.message).toBe(`${host} broke off its answer before the end of the head (ECONNRESET)`)
    expect(failure).toMatchObject({ tries: 1, details: { mayHaveArrived: true } })
  })

  it('a connection that was closed without an answer', async () => {
    const host = await hostThatAnswers('')
    expect((await post(`http://${host}`))!.message).toBe(`${host} closed the connection without an answer (ECONNRESET)`)
  })

  it('a connection that was never made', async () => {
    const endpoint = await endpointForTest()
    await endpoint.close()
    const failure = await post(endpoint.url)
    expect(failure!.message).toBe(`${new URL(endpoint.url).host} could not be reached (ECONNREFUSED)`)
    // Where private addresses are allowed, as here, the endpoint need not be on the internet.
    expect(failure!.advice).not.toContain('from the internet')
  })

  it('a certificate that is not trusted', async () => {
    const host = await hostForTest(https.createServer(selfSigned))
    expect((await post(`https://${host}`))!.message).toBe(
      `${host} has a certificate that is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)`
    )
  })

  it('http where only https is spoken', async () => {
    const host = await hostForTest(
      https.createServer(selfSigned).on('tlsClientError', (_error, socket) => socket.destroy())
    )
    const failure = await post(`http://${host}`)
    expect(failure!.message).toMatch(/closed the connection without an answer \(ECONNRESET\)$/)
    expect(failure!.advice).toContain('https:')
  })

  it('https where only http is spoken', async () => {
    const endpoint = await endpointForTest()
    const failure = await post(endpoint.url.replace('http:', 'https:'))
    expect(failure!.message).toMatch(/does not speak TLS there \((EPROTO|ERR_SSL_\w+)\)$/)
  })
})
