import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import { describe, expect, it, onTestFinished } from 'vitest'
import { blackHole } from '../../tests/harness/black-hole'
import { endpointForTest } from '../../tests/harness/for-test'
import { farServer } from '../../tests/harness/far-server'
import type { EndpointFailure } from './endpoint-failure'
import { DELIVERY, type RetryPolicy, postMessage } from './post-message'

/** Posts a message in one try. */
const post = (url: string, limits: Partial<RetryPolicy> = {}): Promise<EndpointFailure | undefined> => {
  const [type, payload, id] = ['text', { text: 'Hi' }, 'm']
  const body = {
    type,
    payload,
    conversationId: 'c',
    botpressUserId: 'u',
    botpressMessageId: id,
    botpressConversationId: 'b',
  }
  const outgoing = { id, createdAt: '2026-11-20T21:17:38.560Z', body }
  return postMessage({ url: new URL(url), webhooks: [] }, outgoing, { ...DELIVERY, retries: 0, ...limits }).then(
    () => undefined,
    (failure) => failure
  )
}

describe('a host with several addresses', () => {
  const resolvingTo = (...found: string[]) => {
    const { lookup } = dns
    onTestFinished(() => {
      dns.lookup = lookup
      syncBuiltinESMExports()
    })
    const records = found.map((address) => ({ address, family: 4 }))
    dns.lookup = ((_name: string, _options: unknown, callback: (...args: unknown[]) => void) =>
      setImmediate(callback, null, records)) as never
    syncBuiltinESMExports()
  }

  it('is given 2.5 s for each of them but the last: one that is far away takes longer than Node’s 250 ms', async () => {
    const port = await farServer()
    resolvingTo('127.0.0.1', '127.0.0.2')
    expect(await post(`http://far.example:${port}/`)).toBeUndefined()
  })

  it('is reached at the second, if the first refuses', async () => {
    const endpoint = await endpointForTest()
    resolvingTo('127.0.0.2', '127.0.0.1')
    expect(await post(endpoint.url.replace('127.0.0.1', 'far.example'))).toBeUndefined()
  })

  it('is reached at the last of them, if the others are silent: with many, each has its share of the time', async () => {
    const endpoint = await endpointForTest()
    const port = Number(new URL(endpoint.url).port)
    const silent = ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5']
    await blackHole(silent, port)
    resolvingTo(...silent, '127.0.0.1')
    expect(await post(`http://far.example:${port}/`, { connectTimeoutMs: 2000 })).toBeUndefined()
  })

  it('that is silent at each is named with all of them', async () => {
    const port = await blackHole(['127.0.0.2', '127.0.0.3'])
    resolvingTo('127.0.0.2', '127.0.0.3')
    const failure = await post(`http://far.example:${port}/`, { connectTimeoutMs: 300 })
    expect(failure!.message).toBe(
      `far.example:${port} could not be reached in time, within 0.3 s: at 127.0.0.2 (TIMED_OUT), 127.0.0.3 (TIMED_OUT)`
    )
  })

  it('that cannot be reached is named with all of them', async () => {
    const endpoint = await endpointForTest()
    await endpoint.close()
    resolvingTo('127.0.0.2', '127.0.0.1')
    const { port } = new URL(endpoint.url)
    expect((await post(`http://far.example:${port}/`))!.message).toBe(
      `far.example:${port} could not be reached at 127.0.0.2 (ECONNREFUSED), 127.0.0.1 (ECONNREFUSED)`
    )
  })

  it('a script of Google’s that has run has taken the message', async () => {
    const location = 'https://script.googleusercontent.com/macros/echo?user_content_key=x'
    const endpoint = await endpointForTest((response) => response.writeHead(302, { location }).end())
    resolvingTo('127.0.0.1')
    expect(await post(endpoint.url.replace('127.0.0.1', 'script.google.com'))).toBeUndefined()
    expect(endpoint.messages()).toHaveLength(1)
    expect((await post(endpoint.url))!.message).toContain('answered 302, a redirect to https://script.googleuser')
  })
})
