import type { FastifyInstance } from 'fastify'

/** What a request to this machine may call it: its loopback addresses, and what Docker Desktop's containers call it. */
const THIS_MACHINE = /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\]|host\.docker\.internal)(:\d+)?$/i

/**
 * Refuses requests that were meant for another host: a web page anywhere can give its own name this machine's address (DNS
 * rebinding), and then read and write here.
 */
export const refuseForeignHosts = (server: FastifyInstance): void => {
  server.addHook('onRequest', async ({ headers: { host = '' } }, reply) => {
    if (THIS_MACHINE.test(host)) return
    const message = `This sandbox takes requests to this machine alone, as to localhost, and not to "${host}". A tunnel has to rewrite the Host header.`
    // RFC 9110, section 15.5.20: Misdirected Request.
    return reply.code(421).send({ message })
  })
}
