import { createServer, type ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { SandboxOptions } from '../sandbox/sandbox'
import { endpointForTest, proxyForTest, sandboxForTest } from './for-test'

const registration = (endpoint: string, options: SandboxOptions = {}) => sandboxForTest({ ...options, endpoint })

/** An endpoint that answers the test message so. */
const endpointThatAnswers = async (respond: (response: ServerResponse, body: object) => void): Promise<string> => {
  const server = createServer(async (request, response) => respond(response, (await json(request)) as object))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close().closeAllConnections())
  return `http://127.0.0.1:${(server.address() as { port: number }).port}/bot?key=secret`
}

describe('when a bot’s owner saves the configuration', () => {
  const formerTest = { type: 'test', payload: 'test' }
  const test = {
    type: 'test',
    payload: { text: 'test' },
    conversationId: 'test',
    botpressUserId: 'test',
    botpressMessageId: 'test',
    botpressConversationId: 'test',
  }

  it('the endpoint gets one test message, v0.2.3’s own', async () => {
    const endpoint = await endpointForTest()
    await sandboxForTest({ endpoint: endpoint.url })
    expect(endpoint.messages()).toEqual([])
    expect(endpoint.tests()).toHaveLength(1)
    expect(endpoint.tests()[0]).toMatchObject({ method: 'POST', url: '/bot?key=a%20b', body: formerTest })
    expect(endpoint.tests()[0]!.headers).toMatchObject({ 'webhook-id': 'test' })
  })

  it.each([400, 404, 422, 500])(
    'where that is answered with %i, the six fields follow, and are enough',
    async (status) => {
      const bodies: object[] = []
      const url = await endpointThatAnswers((response, body) => {
        bodies.push(body)
        response.writeHead(bodies.length === 1 ? status : 204).end()
      })
      await expect(registration(url)).resolves.toBeDefined()
      expect(bodies).toEqual([formerTest, test])
    }
  )

  it('a backend of v0.2.3 that passes over its test, and fails at other tests, can be registered', async () => {
    const url = await endpointThatAnswers((response, body) => {
      response.writeHead(JSON.stringify(body) === JSON.stringify(formerTest) ? 200 : 500).end()
    })
    await expect(registration(url)).resolves.toBeDefined()
  })

  it('where both are refused, the failure tells the status of both', async () => {
    let count = 0
    const url = await endpointThatAnswers((response) => response.writeHead(++count === 1 ? 400 : 422).end())
    await expect(registration(url)).rejects.toThrow(
      /answered 400, and with all six fields of a message in it, .* answered 422\. Let the endpoint/
    )
  })

  it('a connection that was kept and forgotten on the way does not make it fail', async () => {
    const endpoint = await endpointForTest()
    const proxy = await proxyForTest(endpoint.url)
    const sandbox = await sandboxForTest({ endpoint: proxy.url })
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

  it.each(['127.0.0.1', 'localhost', '[::1]', '2130706433', '169.254.169.254', '[::ffff:10.0.0.1]'])(
    'fails when the endpoint is at a private address: %s',
    async (host) => {
      await expect(
        registration(`http://${host}/bot`, { env: () => ({ ALLOW_PRIVATE_ENDPOINTS: '' }) })
      ).rejects.toThrow(/is not a public address\. Messages go to endpoints on the internet only/)
    }
  )

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

  it('fails when the endpoint is too slow, after one try', async () => {
    let tries = 0
    const url = await endpointThatAnswers(() => tries++)
    await expect(registration(url)).rejects.toThrow(
      /did not answer in time, within 20 s\. Let the endpoint answer 2xx at once/
    )
    expect(tries).toBe(1)
  })

  it.each([400, 401, 404, 405, 500, 503])('fails when the endpoint answers %i', async (status) => {
    const url = await endpointThatAnswers((response) => response.writeHead(status).end())
    await expect(registration(url)).rejects.toThrow(new RegExp(`answered ${status}\\. (Let|Check|See)`))
  })

  it('tells no query in its errors', async () => {
    const url = await endpointThatAnswers((response) => response.writeHead(404).end())
    await expect(registration(url)).rejects.not.toThrow(/secret/)
  })
})

it('uninstalling the integration succeeds', async () => {
  const sandbox = await sandboxForTest()
  expect((await sandbox.unregister()).status).toBe(200)
})
