import type { FastifyInstance } from 'fastify'
import type { IntegrationRequest, IntegrationResponse } from './integration-runtime'

/** Where the webhook is on the sandbox's server. */
export const WEBHOOK_PATH = '/webhook'

/** Serves the public address of an integration: what comes in is handed on as text, whatever it is. */
export const serveWebhook = async (
  server: FastifyInstance,
  receive: (req: IntegrationRequest) => Promise<IntegrationResponse>
) => {
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', { parseAs: 'string' }, async (_request: unknown, body: string) => body)

  const forward = async (url: string, path: string) =>
    server.all(url, async ({ method, raw, headers, body }, reply) => {
      const { pathname, search } = new URL(raw.url!, 'http://localhost')
      const answer = await receive({
        method,
        path: pathname.slice(path.length),
        query: search.slice(1),
        headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value?.toString()])),
        body: body as string | undefined,
      })
      return reply
        .code(answer.status)
        .headers(answer.headers ?? {})
        .send(answer.body)
    })
  await forward(WEBHOOK_PATH, WEBHOOK_PATH)
  await forward(`${WEBHOOK_PATH}/*`, WEBHOOK_PATH)
}
