import { createServer, type ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import type { InstallationOptions } from '../../sandbox/cloud/installation'
import { endpointForTest, installationForTest, proxyForTest, sandboxForTest } from '../harness/for-test'
import { hostForTest } from '../harness/host-for-test'

const registration = (endpoint: string, options: InstallationOptions = {}) =>
  installationForTest({ ...options, endpoint })

/** An endpoint that answers the test message so. */
const endpointThatAnswers = async (respond: (response: ServerResponse, body: object) => void): Promise<string> => {
  const server = createServer(async (request, response) => respond(response, (await json(request)) as object))
  return `http://${await hostForTest(server)}/bot?key=secret`
}

describe('when a bot’s owner saves the configuration', () => {
  const test = { type: 'test', payload: 'test' }

  it('the endpoint gets one test message, v0.2.3’s own', async () => {
    const endpoint = await endpointForTest()
    await installationForTest({ endpoint: endpoint.url })
    expect(endpoint.messages()).toEqual([])
    expect(endpoint.tests()).toHaveLength(1)
    expect(endpoint.tests()[0]).toMatchObject({ method: 'POST', url: '/bot?key=a%20b', body: test })
    expect(endpoint.tests()[0]!.headers).toMatchObject({ 'webhook-id': 'test' })
  })

  it.each([400, 404, 422, 500])('the test message is the only one, also if it is answered with %i', async (status) => {
    const bodies: object[] = []
    const url = await endpointThatAnswers((response, body) => {
      bodies.push(body)
      response.writeHead(status).end()
    })
    await expect(registration(url)).rejects.toThrow(`answered ${status}. `)
    expect(bodies).toEqual([test])
  })

  it('a connection that was kept and forgotten on the way does not make it fail', async () => {
    const endpoint = await endpointForTest()
    const proxy = await proxyForTest(endpoint.url)
    const sandbox = await installationForTest({ endpoint: proxy.url })
    proxy.forget('reset')
    expect(await sandbox.register()).toMatchObject({ status: 200 })
  })

  it.each([200, 204, 299])('succeeds when the endpoint answers %i', async (status) => {
    const url = await endpointThatAnswers((response) => response.writeHead(status).end())
    await expect(registration(url)).resolves.toBeDefined()
  })

  it.each(['', '   '])('fails when the endpoint is not set: %j', async (url) => {
    await expect(registration(url)).rejects.toThrow(/is not set\. Set it/)
  })

  it.each(['example', 'example.com/bot', '//example.com', 'http://', 'http://exa mple.com'])(
    'fails when the endpoint is not a URL: %s',
    async (url) => {
      await expect(registration(url)).rejects.toThrow(/is not a URL\. Set it/)
    }
  )

  it.each(['ftp://example.com', 'file:///etc/passwd', 'ws://example.com', 'javascript:alert(1)'])(
    'fails when the endpoint is not http(s): %s',
    async (url) => {
      await expect(registration(url)).rejects.toThrow(/not with http: or https:\. Set it/)
    }
  )

  it.each([
    ['a zero-width space', 'https://example.com/bot\u200b', 'U+200B, after 23 others'],
    ['a byte order mark', 'https://example.com/\ufeffbot', 'U+FEFF, after 20 others'],
    ['a soft hyphen', 'https://exam\u00adple.com/bot', 'U+00AD, after 12 others'],
    ['a no-break space', 'https://example.com/a\u00a0b', 'U+00A0, after 21 others'],
    ['a mark for the direction', '\u202ahttps://example.com/bot', 'U+202A, after 0 others'],
    ['a filler of Hangul', 'https://example.com/\u3164', 'U+3164, after 20 others'],
    ['a line break', 'https://example.com/\nbot', 'U+000A, after 20 others'],
    ['a character beyond 16 bits', 'https://example.com/\u{e0041}', 'U+E0041, after 20 others'],
  ])('fails when the URL has an invisible character: %s', async (_what, url, which) => {
    await expect(registration(url)).rejects.toThrow(
      `The Response Endpoint URL has an invisible character in it: ${which}. Type the URL, or paste it as plain text.`
    )
  })

  it('takes a URL with white space around it, or a plain space in its path', async () => {
    const endpoint = await endpointForTest()
    await expect(registration(`  ${endpoint.url}\n`)).resolves.toBeDefined()
    await expect(registration(`${new URL(endpoint.url).origin}/a b`)).resolves.toBeDefined()
    expect(endpoint.tests().map(({ url }) => url)).toEqual(['/bot?key=a%20b', '/a%20b'])
  })

  it('fails when the endpoint is unreachable, with the cause', async () => {
    await expect(registration('http://127.0.0.1:9/')).rejects.toThrow(
      /127\.0\.0\.1:9 could not be reached \(ECONNREFUSED\)\. Check/
    )
    await expect(registration('http://nowhere.invalid/')).rejects.toThrow(
      /nowhere\.invalid could not be reached \((ENOTFOUND|EAI_AGAIN)\)\. Check/
    )
  })

  it('fails when the endpoint redirects, with its target', async () => {
    const url = await endpointThatAnswers((response) => response.writeHead(301, { location: '/elsewhere' }).end())
    await expect(registration(url)).rejects.toThrow(
      new RegExp(
        `^The test message failed: \\S+ answered 301, a redirect to ${new URL(url).origin}/elsewhere.* Set the Response Endpoint URL`
      )
    )
  })

  it('fails when the endpoint is at a private address', async () => {
    const env = { ALLOW_PRIVATE_ENDPOINTS: 'true' }
    const sandbox = await sandboxForTest({ env: () => env })
    env.ALLOW_PRIVATE_ENDPOINTS = ''
    await sandbox.endInstance()
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '2130706433', '169.254.169.254', '[::ffff:10.0.0.1]']) {
      await expect(sandbox.install({ endpoint: `http://${host}/bot` })).rejects.toThrow(
        /is not a public address\. Messages go to endpoints on the internet only/
      )
    }
  })

  it.each([
    'secret',
    'whsec_',
    'whsec_not base64',
    `whsec_${'A'.repeat(31)}=`,
    `whsec_${'A'.repeat(33)}`,
    `whsec_${Buffer.alloc(23).toString('base64')}`,
    `whsec_${Buffer.alloc(65).toString('base64')}`,
    Buffer.alloc(32).toString('base64'),
  ])('fails when the secret is malformed: %s', async (signingSecret) => {
    const endpoint = await endpointForTest()
    const failure = registration(endpoint.url, { signingSecret })
    await expect(failure).rejects.toThrow(/The Signing Secret is malformed\. It is "whsec_".*openssl rand -base64 32/)
    expect(endpoint.tests()).toEqual([])
  })

  it.each([24, 32, 64])('succeeds with a secret of %i bytes', async (bytes) => {
    const endpoint = await endpointForTest()
    const signingSecret = `whsec_${Buffer.alloc(bytes, 1).toString('base64')}`
    await expect(registration(endpoint.url, { signingSecret })).resolves.toBeDefined()
  })

  it.each([400, 415, 422])('after %i shows the test message, which has to pass', async (status) => {
    const url = await endpointThatAnswers((response) => response.writeHead(status).end())
    await expect(registration(url)).rejects.toThrow(
      `answered ${status}. If the endpoint validates what it gets, let it answer 2xx to the test message too: {"type":"test","payload":"test"}.`
    )
  })

  it.each([
    ['of n8n', {}, /answered 403\. Check that .* such as “Ignore Bots” of n8n’s Webhook node, switch it off\./],
    [
      'of Cloudflare',
      { 'cf-mitigated': 'challenge' },
      /answered 403\. Cloudflare took the integration for a bad bot: add/,
    ],
  ])('after 403 names the bot filter %s', async (_whose, headers, advice) => {
    const url = await endpointThatAnswers((response) => response.writeHead(403, headers).end())
    await expect(registration(url)).rejects.toThrow(advice)
  })

  it.each([401, 404, 405, 500, 503])('fails when the endpoint answers %i', async (status) => {
    const url = await endpointThatAnswers((response) => response.writeHead(status).end())
    await expect(registration(url)).rejects.toThrow(new RegExp(`answered ${status}\\. (Let|Check|See)`))
  })

  it('tells no query in its errors', async () => {
    const url = await endpointThatAnswers((response) => response.writeHead(404).end())
    await expect(registration(url)).rejects.not.toThrow(/secret/)
  })
})

it('uninstalling the integration succeeds', async () => {
  const sandbox = await installationForTest()
  expect((await sandbox.unregister()).status).toBe(200)
})
