import type { FastifyInstance, FastifyRequest } from 'fastify'
import { sendProblem } from '../cloud/problem'

/** A link on another page may be followed: what it leads to is nothing that the other page could read. */
const isFollowedLink = ({ method, headers, url }: FastifyRequest, documents: string[]): boolean =>
  method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && documents.includes(url.split('?')[0]!)

/**
 * Refuses what pages of other sites send, in a browser on this machine.
 *
 * @param documents paths that a link may lead to
 */
export const refuseOtherSites = (server: FastifyInstance, documents: string[] = []): void => {
  server.addHook('onRequest', async (request, reply) => {
    const { origin, host, 'sec-fetch-site': site } = request.headers
    const isSameOrigin = origin === undefined || origin === `http://${host}`
    if ((isSameOrigin && site !== 'cross-site') || isFollowedLink(request, documents)) return undefined
    return sendProblem(reply, 403, 'The sandbox takes no requests from pages of other sites.')
  })
}
