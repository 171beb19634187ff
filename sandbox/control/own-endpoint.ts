import type { FastifyInstance } from 'fastify'
import { refuseOtherSites } from './refuse-other-sites'

/** Serves the endpoint that messages go to if there is no other. It takes everything. */
export const serveOwnEndpoint = async (server: FastifyInstance) => {
  refuseOtherSites(server)
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', { parseAs: 'string' }, async (_request: unknown, body: string) => body)
  server.post('/endpoint', async (_request, reply) => reply.code(204).send())
}
