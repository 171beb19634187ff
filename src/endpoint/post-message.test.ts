import { describe, expect, it } from 'vitest'
import { endpointForTest } from '../../tests/for-test'
import { EndpointFailure } from './endpoint-failure'
import { DELIVERY, type Patience, postMessage } from './post-message'

const message = {
  type: 'text',
  payload: { text: 'Hi' },
  conversationId: 'c',
  botpressUserId: 'u',
  botpressMessageId: 'm',
  botpressConversationId: 'b',
}

const patience: Patience = { retries: 3, tryTimeoutMs: 500, timeoutMs: 2000, pauseMs: 5 }

const post = (url: string, limits: Partial<Patience> = {}): Promise<EndpointFailure | undefined> =>
  postMessage({ url: new URL(url) }, message, { ...patience, ...limits }).then(
    () => undefined,
    (thrown) => {
      expect(thrown).toBeInstanceOf(EndpointFailure)
      return thrown
    }
  )

describe('postMessage', () => {
  it('lasts 10 s a try, 45 s a delivery, and 4 tries at the most, for a message of the bot', () => {
    expect(DELIVERY).toMatchObject({ tryTimeoutMs: 10_000, timeoutMs: 45_000, retries: 3 })
  })

  it('ends each try in time, and tries again', async () => {
    const endpoint = await endpointForTest(() => {})
    const failure = await post(endpoint.url, { tryTimeoutMs: 50 })
    expect(failure!.message).toBe(`${new URL(endpoint.url).host} did not answer in time`)
    expect(failure!.tries).toBe(4)
    expect(endpoint.messages()).toHaveLength(4)
  })

  it('ends in time altogether, a hanging endpoint included', async () => {
    const endpoint = await endpointForTest(() => {})
    const failure = await post(endpoint.url, { tryTimeoutMs: 60, timeoutMs: 100, pauseMs: 1 })
    expect(failure!.message).toContain('did not answer in time')
    expect(failure!.tries).toBe(2)
  })

  it('does not begin a pause that would not end in time', async () => {
    const endpoint = await endpointForTest((response) => response.writeHead(503, { 'retry-after': '9' }).end())
    const failure = await post(endpoint.url)
    expect(failure).toMatchObject({ message: expect.stringContaining('answered 503'), tries: 1 })
  })

  it('pauses longer each time, after a try that timed out too', async () => {
    const times: number[] = []
    const endpoint = await endpointForTest(() => times.push(performance.now()))
    await post(endpoint.url, { tryTimeoutMs: 20, pauseMs: 20 })
    const pauses = times.slice(1).map((time, index) => time - times[index]! - 20)
    expect(pauses).toHaveLength(3)
    expect(pauses[0]).toBeGreaterThan(35)
    expect(pauses[1]).toBeGreaterThan(75)
    expect(pauses[2]).toBeGreaterThan(155)
  })

  it.each([
    ['a number of seconds', () => '1'],
    ['an HTTP date', () => new Date(Date.now() + 2000).toUTCString()],
  ])('obeys Retry-After: %s', async (_form, retryAfter) => {
    const times: number[] = []
    const endpoint = await endpointForTest((response) => {
      times.push(performance.now())
      response.writeHead(times.length === 1 ? 503 : 200, { 'retry-after': retryAfter() }).end()
    })
    expect(await post(endpoint.url, { timeoutMs: 5000 })).toBeUndefined()
    expect(times[1]! - times[0]!).toBeGreaterThan(900)
  })

  it('lets an endpoint that answers in time take its time with the body', async () => {
    const endpoint = await endpointForTest((response) => response.writeHead(200).write('…'))
    expect(await post(endpoint.url)).toBeUndefined()
  })

  it('sends messages one after another over one connection', async () => {
    const endpoint = await endpointForTest((response) => response.writeHead(200).end('thanks'))
    for (let count = 0; count < 5; count++) {
      await post(endpoint.url)
      await new Promise(setImmediate)
    }
    expect(endpoint.messages()).toHaveLength(5)
    expect(endpoint.connections()).toBe(1)
  })

  it.each([
    ['/else?token=secret', /to http:\/\/127\.0\.0\.1:\d+\/else,/],
    ['https://user:password@example.com/x?token=secret', /to https:\/\/example\.com\/x,/],
    ['http://[', /to nowhere,/],
  ])('tells of a redirect to %s without what is secret', async (location, told) => {
    const endpoint = await endpointForTest((response) => response.writeHead(307, { location }).end())
    expect((await post(endpoint.url))!.message).toMatch(told)
  })
})
