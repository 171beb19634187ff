import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { IntegrationRequest, IntegrationResponse } from './function-host/integration-call'

/**
 * Serves the public addresses of an integration, `/{name}` and all below it: what comes in is handed on as text, whatever
 * it is.
 *
 * @param receive answers a request to the webhook of that name, `undefined` where there is none; the last is how it came in
 */
export const serveWebhooks = async (
  server: FastifyInstance,
  receive: (name: string, req: IntegrationRequest, request: FastifyRequest) => Promise<IntegrationResponse> | undefined
) => {
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', { parseAs: 'string' }, async (_request: unknown, body: string) => body)

  for (const route of ['/:name', '/:name/*']) {
    server.all<{ Params: { name: string } }>(route, async (request, reply) => {
      const { method, params, url, raw, body } = request
      // Those that come more than once too: Node itself drops some of them.
      const headers = Object.fromEntries(
        Object.entries(raw.headersDistinct).map(([key, values]) => [key, values?.join(', ')])
      )
      const req = { method, ...belowName(url), headers, body: body as string | undefined }
      const answer = await receive(params.name, req, request)
      if (!answer) return reply.callNotFound()
      return reply
        .code(answer.status)
        .headers(answer.headers ?? {})
        .send(answer.body)
    })
  }
}

/** What follows a webhook's URL in the target of a request, which may be a whole URL itself (RFC 9112, section 3.2.2). */
const belowName = (target: string) => {
  const [path = '', ...query] = target.replace(/^https?:\/\/[^/]*/, '').split('?')
  return { path: path.replace(/^\/[^/]*/, ''), query: query.join('?') }
}
