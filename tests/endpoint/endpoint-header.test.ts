import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import type { Exchange } from '../../sandbox/cloud/exchange'
import { messageBody, send } from '../harness/backend'
import { endpointForTest, installationForTest } from '../harness/for-test'

const SECRET = 'T0p-$ecret value, with "all" of it; =='

describe('the endpoint header', () => {
  it.each([
    ['x-api-key', `x-api-key: ${SECRET}`, SECRET],
    ['authorization', 'Authorization: Bearer abc.def', 'Bearer abc.def'],
    ['x-api-key', `x-api-key:${SECRET}`, SECRET],
    ['x-api-key', `  X-API-Key:  ${SECRET} \n`, SECRET],
    ['accept', 'Accept: text/plain', 'text/plain'],
    ['cookie', 'cookie: a=b; c=d', 'a=b; c=d'],
    ["!#$%&'*+-.^_`|~0a", "!#$%&'*+-.^_`|~0A: x", 'x'],
    ['x-colon', 'x-colon: a:b: c', 'a:b: c'],
    // Names that JavaScript and HTTP clients have uses of their own for.
    ...['constructor', 'set', 'get', 'has', 'delete', 'toJSON', 'hasOwnProperty', 'common', 'post'].map(
      (name): [string, string, string] => [name.toLowerCase(), `${name}: x`, 'x']
    ),
  ])('goes with every message, the test message too: %s', async (name, endpointHeader, value) => {
    const endpoint = await endpointForTest()
    const sandbox = await installationForTest({ endpoint: endpoint.url, endpointHeader })
    await send(sandbox, messageBody({ text: 'burst 2' }))
    await sandbox.settled()
    const received = [...endpoint.tests(), ...endpoint.messages()]
    expect(received).toHaveLength(3)
    for (const { headers } of received) {
      expect(Object.entries(headers)).toContainEqual([name, value])
      expect(headers['content-type']).toBe('application/json')
      expect(headers['user-agent']).toMatch(/^Botpress-Messaging-API\//)
    }
  })

  it('goes with each try', async () => {
    let tries = 0
    const endpoint = await endpointForTest((response) => response.writeHead(++tries < 2 ? 503 : 204).end())
    const sandbox = await installationForTest({ endpoint: endpoint.url, endpointHeader: `x-api-key: ${SECRET}` })
    await send(sandbox, messageBody())
    await sandbox.settled()
    expect(endpoint.messages().map(({ headers }) => headers['x-api-key'])).toEqual([SECRET, SECRET])
  })

  it('is none where it is left empty', async () => {
    for (const endpointHeader of [undefined, '', ' \n']) {
      await expect(installationForTest({ endpointHeader })).resolves.toBeDefined()
    }
  })

  it('goes to the configured endpoint only: not to Botpress, nor where a redirect leads', async () => {
    const elsewhere = await endpointForTest()
    const endpoint = await endpointForTest((response) => response.writeHead(307, { location: elsewhere.url }).end())
    const calls: unknown[] = []
    const sandbox = await installationForTest({
      endpoint: endpoint.url,
      endpointHeader: `x-api-key: ${SECRET}`,
      onApiCall: ({ headers, input }) => void calls.push([headers, input]),
    })
    await send(sandbox, messageBody())
    await sandbox.settled()
    expect(endpoint.messages()).toHaveLength(1)
    expect(elsewhere.messages()).toEqual([])
    expect(calls).not.toEqual([])
    expect(JSON.stringify(calls)).not.toContain('T0p-$ecret')
  })

  it.each([encodeURIComponent(SECRET), 'login/T0p-$ecret?x=1', `login/${encodeURI(SECRET).toLowerCase()}`, 'T%30p'])(
    'is not told where the endpoint echoes it in a redirect: %s',
    async (path) => {
      const endpoint = await endpointForTest((response) => response.writeHead(302, { location: `/${path}` }).end())
      const errors: (string | undefined)[] = []
      const sandbox = await installationForTest({
        endpoint: endpoint.url,
        endpointHeader: `x-api-key: ${SECRET}`,
        onDelivery: ({ error }) => errors.push(error),
      })
      await send(sandbox, messageBody())
      await sandbox.settled()
      expect(errors[0]).toContain(`a redirect to ${new URL(endpoint.url).origin}, which`)
    }
  )

  it('goes where a redirect is followed, at the same host', async () => {
    const endpoint = await endpointForTest((response, { url }) =>
      url === '/moved' ? response.writeHead(204).end() : response.writeHead(308, { location: '/moved' }).end()
    )
    const sandbox = await installationForTest({ endpoint: endpoint.url, endpointHeader: `x-api-key: ${SECRET}` })
    await send(sandbox, messageBody())
    await sandbox.settled()
    expect(endpoint.messages().map(({ headers }) => headers['x-api-key'])).toEqual([SECRET, SECRET])
  })

  it('is not on the sandbox’s wire where the endpoint sends it back', async () => {
    const exchanges: Exchange[] = []
    const endpoint = await endpointForTest((response) =>
      response.writeHead(200, { 'x-echo': SECRET, 'x-more': `key ${SECRET}, sent` }).end()
    )
    const sandbox = await installationForTest({
      endpoint: endpoint.url,
      endpointHeader: `x-api-key: ${SECRET}`,
      onExchange: (exchange) => exchanges.push(exchange),
    })
    await send(sandbox, messageBody())
    await sandbox.settled()
    expect(exchanges.at(-1)!.responseHeaders).toMatchObject({
      'x-echo': '••• (endpoint header)',
      'x-more': 'key ••• (endpoint header), sent',
    })
  })

  it.each([
    ['a status', (response: ServerResponse) => response.writeHead(401).end()],
    ['a reset', (response: ServerResponse) => response.socket!.resetAndDestroy()],
  ])('appears in no log, error or answer, nor on the sandbox’s wire: %s', async (_what, respond) => {
    const seen: unknown[] = []
    const exchanges: Exchange[] = []
    const endpoint = await endpointForTest(respond)
    const sandbox = await installationForTest({
      endpoint: endpoint.url,
      endpointHeader: `x-api-key: ${SECRET}`,
      onLog: (line) => seen.push(line),
      onDelivery: ({ error }) => seen.push(error),
      onExchange: (exchange) => exchanges.push(exchange),
    })
    const answer = await send(sandbox, messageBody(), { headers: { prefer: 'wait=20, replies=1' } })
    await sandbox.settled()
    expect(seen.join('\n')).toContain('not delivered')
    expect(JSON.stringify([seen, answer.body, exchanges])).not.toContain('T0p-$ecret')
    expect(exchanges.map(({ requestHeaders }) => requestHeaders['x-api-key'])).toContain('••• (endpoint header)')
  })
})

describe('a malformed endpoint header fails the registration, with what it should look like', () => {
  it.each([
    ['no colon', `x-api-key ${SECRET}`],
    ['an empty name', `: ${SECRET}`],
    ['an empty value', 'x-api-key:'],
    ['a value of spaces', 'x-api-key:   '],
    ['a name with a space', `x api key: ${SECRET}`],
    ['a space before the colon', `x-api-key : ${SECRET}`],
    ['a name of other characters', `x-äpi-key: ${SECRET}`],
    ['a name in brackets', `(x): ${SECRET}`],
    ['a value of other characters', 'x-api-key: é'],
    ['a tab in the value', 'x-api-key: T0p-$ecret\tvalue'],
    ['a line break in the value', 'x-api-key: T0p-$ecret\r\nx-other: 1'],
    ['a line feed alone', 'x-api-key: T0p-$ecret\nx-other: 1'],
    ['a carriage return alone', 'x-api-key: T0p-$ecret\rx'],
    ['a zero byte', 'x-api-key: T0p-$ecret\u0000'],
  ])('%s', async (_what, endpointHeader) => {
    const endpoint = await endpointForTest()
    const registration = installationForTest({ endpoint: endpoint.url, endpointHeader })
    await expect(registration).rejects.toThrow(
      /^The Endpoint Header is malformed\. It is one header, "Name: value", such/
    )
    await expect(registration).rejects.not.toThrow(/ecret/)
    expect(endpoint.tests()).toEqual([])
  })

  it.each([`https://example.com/${SECRET}`, `HTTP://example.com/?key=${SECRET}`])(
    'a URL that was pasted into it: %s',
    async (endpointHeader) => {
      const endpoint = await endpointForTest()
      const registration = installationForTest({ endpoint: endpoint.url, endpointHeader })
      await expect(registration).rejects.toThrow('The Endpoint Header is a URL. It is one header, "Name: value", such')
      await expect(registration).rejects.not.toThrow(/ecret/)
    }
  )

  const RESERVED =
    'webhook-id webhook-signature Webhook-Anything botpress-created-at botpress-x content-type Content-Length ' +
    'content-encoding host HOST connection keep-alive transfer-encoding te trailer upgrade expect proxy-authorization ' +
    'proxy-connection user-agent'

  it.each(RESERVED.split(' '))('a name that the integration or HTTP needs for itself: %s', async (name) => {
    const endpoint = await endpointForTest()
    const registration = installationForTest({ endpoint: endpoint.url, endpointHeader: `${name}: ${SECRET}` })
    await expect(registration).rejects.toThrow(
      `The Endpoint Header may not be "${name}", which the integration or HTTP`
    )
    await expect(registration).rejects.not.toThrow(/ecret/)
    expect(endpoint.tests()).toEqual([])
  })
})
