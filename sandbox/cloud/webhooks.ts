import type { FastifyInstance } from 'fastify'
import { ApiError } from './api-error'
import type { IntegrationRequest, IntegrationResponse } from './integration-runtime'

/**
 * Serves the public addresses of an integration, `/{name}` and all below it: what comes in is handed on as text, whatever
 * it is.
 *
 * @param receive answers a request to the webhook of that name, `undefined` where there is none
 */
export const serveWebhooks = async (
  server: FastifyInstance,
  receive: (name: string, req: IntegrationRequest) => Promise<IntegrationResponse> | undefined
) => {
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', { parseAs: 'string' }, async (_request: unknown, body: string) => body)

  for (const route of ['/:name', '/:name/*']) {
    server.all<{ Params: { name: string } }>(route, async ({ method, params, raw, headers, body }, reply) => {
      const { pathname, search } = new URL(raw.url!, 'http://localhost')
      const answer = await receive(params.name, {
        method,
        path: pathname.slice(`/${params.name}`.length),
        query: search.slice(1),
        headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value?.toString()])),
        body: body as string | undefined,
      })
      if (!answer) throw new ApiError('ResourceNotFound', `There is no webhook ${params.name}`)
      return reply
        .code(answer.status)
        .headers(answer.headers ?? {})
        .send(answer.body)
    })
  }
}
