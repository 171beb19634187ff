import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { endpointForTest } from '../../tests/harness/for-test'
import type { EndpointFailure } from './endpoint-failure'
import type { postMessage as PostMessage } from './post-message'
import type { isPublic as IsPublic } from './public-addresses'

// The real thing, as it is without the variable that lifts it for development.
let postMessage: typeof PostMessage
let isPublic: typeof IsPublic

beforeAll(async () => {
  vi.stubEnv('ALLOW_PRIVATE_ENDPOINTS', undefined)
  ;({ postMessage } = await import('./post-message'))
  ;({ isPublic } = await import('./public-addresses'))
})

const message = {
  type: 'text',
  payload: {},
  conversationId: 'c',
  botpressUserId: 'u',
  botpressMessageId: 'm',
  botpressConversationId: 'b',
}

const failureOf = async (url: string): Promise<EndpointFailure> => {
  const patience = { retries: 3, connectTimeoutMs: 500, answerTimeoutMs: 500, timeoutMs: 2000, pauseMs: 5 }
  const thrown = await postMessage({ url: new URL(url), webhooks: [] }, { id: 'm', body: message }, patience).catch(
    (error: unknown) => error
  )
  return thrown as EndpointFailure
}

describe('addresses that are not public are refused', () => {
  it.each([
    ['loopback', '127.0.0.1'],
    ['loopback, another', '127.8.9.10'],
    ['loopback, IPv6', '[::1]'],
    ['loopback, as a decimal number', '2130706433'],
    ['loopback, as an octal number', '0177.0.0.1'],
    ['loopback, as a hex number', '0x7f000001'],
    ['loopback, short', '127.1'],
    ['loopback, IPv4-mapped', '[::ffff:127.0.0.1]'],
    ['loopback, IPv4-mapped in hex', '[::ffff:7f00:1]'],
    ['loopback, IPv4-compatible', '[::127.0.0.1]'],
    ['private, IPv4-compatible', '[::a00:1]'],
    ['the end of the IPv4-compatible ones', '[::ffff:ffff]'],
    ['loopback, through NAT64', '[64:ff9b::7f00:1]'],
    ['loopback, through 6to4', '[2002:7f00:1::]'],
    ['unspecified', '0.0.0.0'],
    ['unspecified, IPv6', '[::]'],
    ['private, 10/8', '10.0.0.1'],
    ['private, 172.16/12', '172.16.0.1'],
    ['private, 192.168/16', '192.168.1.1'],
    ['private, as a decimal number', '3232235777'],
    ['private, IPv4-mapped', '[::ffff:10.0.0.1]'],
    ['unique local, IPv6', '[fd00::1]'],
    ['link-local, where clouds keep their metadata', '169.254.169.254'],
    ['link-local, IPv4-mapped', '[::ffff:169.254.169.254]'],
    ['link-local, IPv6', '[fe80::1]'],
    ['carrier-grade NAT', '100.64.0.1'],
    ['multicast', '224.0.0.1'],
    ['multicast, IPv6', '[ff02::1]'],
    ['private, through NAT64', '[64:ff9b::192.168.1.1]'],
    ['the metadata of clouds, through NAT64', '[64:ff9b::a9fe:a9fe]'],
    ['a network’s own NAT64', '[64:ff9b:1::808:808]'],
    ['IPv4-mapped, though public', '[::ffff:8.8.8.8]'],
    ['translated, RFC 6145', '[::ffff:0:127.0.0.1]'],
    ['Teredo', '[2001::1]'],
    ['for documentation', '[2001:db8::1]'],
    ['not given out', '[4000::1]'],
    ['site-local, deprecated', '[fec0::1]'],
    ['broadcast', '255.255.255.255'],
    ['reserved', '240.0.0.1'],
    ['a name for loopback', 'localhost'],
  ])('%s: %s', async (_kind, host) => {
    for (const scheme of ['http', 'https']) {
      const failure = await failureOf(`${scheme}://${host}:9/bot`)
      expect(failure.message).toMatch(/ is not a public address$/)
      expect(failure.tries).toBe(1)
    }
  })

  it('an endpoint that listens there gets nothing', async () => {
    const endpoint = await endpointForTest()
    await failureOf(endpoint.url)
    await failureOf(endpoint.url.replace('127.0.0.1', 'localhost'))
    expect(endpoint.connections()).toBe(0)
  })
})

describe('the address that is connected to is the one that is checked', () => {
  const { lookup } = dns
  afterEach(() => {
    dns.lookup = lookup
    syncBuiltinESMExports()
  })

  /** What the name server says at each look, as it would for whoever owns the name. */
  const answers = (...looks: (dns.LookupAddress[] | Error)[]) => {
    const looked: string[] = []
    dns.lookup = ((hostname: string, options: dns.LookupOptions, callback: (...args: unknown[]) => void) => {
      const answer = looks[Math.min(looked.push(hostname), looks.length) - 1]!
      if (answer instanceof Error) setImmediate(callback, answer)
      else if (options.all) setImmediate(callback, null, answer)
      else setImmediate(callback, null, answer[0]!.address, answer[0]!.family)
    }) as typeof dns.lookup
    syncBuiltinESMExports()
    return looked
  }

  it('a name that resolves to a private address is refused', async () => {
    answers([{ address: '192.168.1.1', family: 4 }])
    expect((await failureOf('http://rebind.example/')).message).toMatch(/ is not a public address$/)
  })

  it('a name that resolves to an IPv4-compatible address is refused', async () => {
    answers([{ address: '::7f00:1', family: 6 }])
    expect((await failureOf('http://rebind.example/')).message).toMatch(/ is not a public address$/)
  })

  it('a name with a private address among others is refused', async () => {
    answers([
      { address: '203.0.113.1', family: 4 },
      { address: '::1', family: 6 },
    ])
    expect((await failureOf('http://rebind.example/')).message).toMatch(/ is not a public address$/)
  })

  it('a name that resolves elsewhere on the second look is refused then', async () => {
    const looked = answers(Object.assign(new Error('look again'), { code: 'EAI_AGAIN' }), [
      { address: '127.0.0.1', family: 4 },
    ])
    const failure = await failureOf('http://rebind.example/')
    expect(failure).toMatchObject({ message: 'rebind.example is not a public address', tries: 2 })
    expect(looked).toEqual(['rebind.example', 'rebind.example'])
  })

  it('a name with an address that DNS64 made of a private one is refused', async () => {
    answers([
      { address: '64:ff9b::a00:1', family: 6 },
      { address: '8.8.8.8', family: 4 },
    ])
    expect((await failureOf('http://rebind.example/')).message).toMatch(/ is not a public address$/)
  })
})

it.each(['8.8.8.8', '2606:4700::1111', '64:ff9b::808:808'])('%s is public', (address) => {
  expect(isPublic(address)).toBe(true)
})
