import type { FastifyInstance } from 'fastify'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Faults } from './faults'
import { refuseOtherSites } from './refuse-other-sites'

/** Serves the endpoint that messages go to where there is no other. They are looked at where they are delivered. */
export const serveOwnEndpoint = async (server: FastifyInstance, faults: Faults) => {
  refuseOtherSites(server)
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', { parseAs: 'string' }, async (_request: unknown, body: string) => body)

  server.post('/endpoint', async (_request, reply) => {
    const answer = faults.nextEndpointAnswer()
    if (answer === 'hang') return reply.hijack()
    const { status, location, delayMs } = answer
    if (delayMs > 0) await sleep(delayMs, undefined, { ref: false })
    return reply
      .code(status)
      .headers(location === undefined ? {} : { location })
      .send(status === 204 ? undefined : { message: 'Switched on in the sandbox' })
  })
}
