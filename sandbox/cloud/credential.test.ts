import { expect, it } from 'vitest'
import { withoutCredentials } from './credential'
import type { Exchange } from './exchange'

const KEY = { value: 'a-key-with-"quotes"-in-it', sort: 'access key' }

const seen = (fields: Partial<Exchange>) => {
  const exchange: Exchange = {
    id: '1',
    at: 0,
    from: 'backend',
    to: 'webhook',
    method: 'POST',
    url: '/',
    requestHeaders: {},
    ...fields,
  }
  return withoutCredentials(exchange, [KEY, { value: 'short', sort: 'Personal Access Token' }])
}

it.each([
  ['authorization', `Bearer ${KEY.value}`, 'Bearer ••• (access key)'],
  ['Authorization', 'Bearer short', 'Bearer ••• (Personal Access Token)'],
  ['x-bp-secret', 'another', '••• (unknown)'],
  ['cookie', 'session=1', '••• (unknown)'],
  ['set-cookie', 'session=1', '••• (unknown)'],
  ['x-api-key', 'another', '••• (unknown)'],
  ['x-own', KEY.value, '••• (access key)'],
  ['x-own', `it is ${KEY.value}`, 'it is ••• (access key)'],
  ['x-own', 'a short text', 'a short text'],
])('of the header %s: %s is seen as %s, in requests and answers', (name, value, shown) => {
  const { requestHeaders, responseHeaders } = seen({
    requestHeaders: { [name]: value },
    responseHeaders: { [name]: value },
  })
  expect([requestHeaders[name], responseHeaders![name]]).toEqual([shown, shown])
})

it('of a URL and of bodies nothing that tells is seen, also where it is written as JSON', () => {
  const { url, requestBody, responseBody } = seen({
    url: `/?key=${KEY.value}`,
    requestBody: JSON.stringify({ said: KEY.value }),
    responseBody: `no short ${KEY.value}`,
  })
  expect([url, requestBody, responseBody]).toEqual([
    '/?key=••• (access key)',
    '{"said":"••• (access key)"}',
    'no short ••• (access key)',
  ])
})

it('of a secret nothing is seen in a URL either, and one with half a character does no harm', () => {
  const half = { value: 'half a character: \ud83d', sort: 'access key' }
  const exchange = { id: '1', at: 0, from: 'backend', to: 'webhook', method: 'POST', requestHeaders: {} } as const
  const { url } = withoutCredentials({ ...exchange, url: `/?key=${encodeURIComponent(KEY.value)}` }, [KEY, half])
  expect(url).toBe('/?key=••• (access key)')
})
