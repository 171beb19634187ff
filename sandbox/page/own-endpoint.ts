import type { FastifyInstance } from 'fastify'
import type { Switches } from './switches'

/** Serves the endpoint that messages go to where there is no other. They are looked at where they are delivered. */
export const serveOwnEndpoint = async (server: FastifyInstance, switches: Switches) => {
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', { parseAs: 'string' }, async (_request: unknown, body: string) => body)

  server.post('/endpoint', async (_request, reply) => {
    const answer = switches.nextEndpointAnswer()
    if (answer === 'hang') return reply.hijack()
    const { status, location } = answer
    return reply
      .code(status)
      .headers(location === undefined ? {} : { location })
      .send()
  })
}
