import type { FastifyInstance, FastifyRequest } from 'fastify'

/** What a request to this machine may call it: its loopback addresses, and what Docker Desktop's containers call it. */
const THIS_MACHINE = /^(localhost|[\w.-]+\.localhost|127(\.\d{1,3}){3}|\[::1\]|host\.docker\.internal)(:\d+)?$/i

/**
 * What is wrong with a request that was meant for another host: a web page anywhere can give its own name this machine's
 * address (DNS rebinding), and then read and write here.
 *
 * @returns `undefined` where nothing is
 */
export const misdirection = ({ headers: { host = '' } }: FastifyRequest): { message: string } | undefined =>
  THIS_MACHINE.test(host)
    ? undefined
    : {
        message: `This sandbox takes requests to this machine alone, as to localhost, and not to "${host}". A tunnel has to rewrite the Host header.`,
      }

/** RFC 9110, section 15.5.20: Misdirected Request. */
export const MISDIRECTED = 421

/** Refuses requests that were meant for another host. */
export const refuseForeignHosts = (server: FastifyInstance): void => {
  server.addHook('onRequest', async (request, reply) => {
    const problem = misdirection(request)
    if (problem) return reply.code(MISDIRECTED).send(problem)
  })
}
