import http from 'node:http'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { mustBeDocumentedDelivery } from './documented'
import { listen } from './listen'

/** A request as the endpoint received it. */
export type Received = {
  method: string
  url: string
  headers: http.IncomingHttpHeaders
  /** As it came. */
  text: string
  /** Parsed. */
  body: Record<string, unknown>
}

export type Endpoint = {
  url: string
  /** The bot's messages, without the test message of the registration. Throws where one is not as openapi.json says. */
  messages: () => Received[]
  tests: () => Received[]
  /** How many connections were opened to it. */
  connections: () => number
  /** How many of them are open. */
  open: () => Promise<number>
  close: () => Promise<void>
}

/**
 * Starts the server of a backend that receives the bot's messages.
 *
 * @param respond answers a message; the test message of the registration is always taken
 */
export const startEndpoint = async (
  respond: (response: http.ServerResponse, received: Received) => void = (response) => response.writeHead(204).end()
): Promise<Endpoint> => {
  const received: Received[] = []
  let connections = 0
  // Longer than the integration keeps its connections.
  const server = http.createServer({ keepAliveTimeout: 60_000 }, async (request, response) => {
    const { method = '', url = '', headers } = request
    const content = await text(request)
    const one = { method, url, headers, text: content, body: JSON.parse(content) }
    received.push(one)
    if (one.body.type === 'test') response.writeHead(204).end()
    else respond(response, one)
  })
  server.on('connection', () => connections++)
  const { port, close } = await listen(server)
  const documented = (isTest: boolean) =>
    received
      .filter(({ body }) => (body.type === 'test') === isTest)
      .map((one) => {
        const webhook = typeof one.body.payload === 'string' ? 'registrationTest' : 'botMessage'
        mustBeDocumentedDelivery(one.headers, one.body, webhook)
        return one
      })
  return {
    url: `http://127.0.0.1:${port}/bot?key=a%20b`,
    messages: () => documented(false),
    tests: () => documented(true),
    connections: () => connections,
    open: promisify(server.getConnections.bind(server)),
    close,
  }
}
