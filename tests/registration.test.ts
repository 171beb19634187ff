import { createServer, type ServerResponse } from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
import { sandboxForTest } from './backend'
import { endpointForTest } from './endpoint'

const registration = (responseEndpointURL: unknown) => sandboxForTest({ configuration: { responseEndpointURL } })

/** An endpoint that answers the test message so. */
const endpointThatAnswers = async (respond: (response: ServerResponse) => void): Promise<string> => {
  const server = createServer((_request, response) => respond(response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close().closeAllConnections())
  return `http://127.0.0.1:${(server.address() as { port: number }).port}/bot?key=secret`
}

describe('when a bot’s owner saves the configuration', () => {
  it('the endpoint gets one test message: the six fields with type test, payload { text: "test" } and the ids test', async () => {
    const endpoint = await endpointForTest()
    await sandboxForTest({ endpoint: endpoint.url })
    expect(endpoint.messages()).toEqual([])
    expect(endpoint.tests()).toHaveLength(1)
    expect(endpoint.tests()[0]).toMatchObject({ method: 'POST', url: '/bot?key=a%20b' })
    expect(endpoint.tests()[0]!.headers).toMatchObject({ 'webhook-id': 'test' })
    expect(endpoint.tests()[0]!.body).toEqual({
      type: 'test',
      payload: { text: 'test' },
      conversationId: 'test',
      botpressUserId: 'test',
      botpressMessageId: 'test',
      botpressConversationId: 'test',
    })
  })

  it.each([200, 204, 299])('succeeds when the endpoint answers %i', async (status) => {
    const url = await endpointThatAnswers((response) => response.writeHead(status).end())
    await expect(registration(url)).resolves.toBeDefined()
  })

  it.each([undefined, '', '   '])('fails when the endpoint is not set: %j', async (url) => {
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
      new RegExp(`301, a redirect to ${new URL(url).origin}/elsewhere.* Set the Response Endpoint URL`)
    )
  })

  it.each([400, 401, 404, 405, 500, 503])('fails when the endpoint answers %i', async (status) => {
    const url = await endpointThatAnswers((response) => response.writeHead(status).end())
    await expect(registration(url)).rejects.toThrow(new RegExp(`answered ${status}\\. Let the endpoint`))
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
