import type { FastifyInstance, FastifyRequest } from 'fastify'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { sendProblem } from './problem'

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

/** What a browser on this machine calls it: pages of other sites may have names such as evil.localhost. */
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i

/** Refuses requests by other names than localhost, 127.0.0.0/8 and [::1], for what shows tokens and keys. */
export const refuseOtherNames = (server: FastifyInstance): void => {
  server.addHook('onRequest', async ({ headers: { host = '' } }, reply) => {
    if (LOOPBACK.test(host)) return undefined
    const message = `The sandbox shows this only as localhost, 127.0.0.1 or [::1], and not as "${host}".`
    return sendProblem(reply, MISDIRECTED, message)
  })
}

/**
 * Listens on 127.0.0.1 and, if this machine has it, on [::1]: of localhost's addresses, browsers try both, whatever the system
 * says.
 *
 * @returns the port
 * @throws Error EADDRINUSE also if another program has the port on one of them
 */
export const listenOnLoopback = async (server: FastifyInstance, wanted: number): Promise<number> => {
  const second = createServer(server.routing)
  server.addHook('onClose', async () => void second.close().closeAllConnections())
  await server.listen({ host: '127.0.0.1', port: wanted })
  const { port } = server.server.address() as AddressInfo
  const interfaces = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  if (!interfaces.some(({ address }) => address === '::1')) return port
  second.keepAliveTimeout = server.server.keepAliveTimeout
  try {
    await once(second.listen({ host: '::1', port, ipv6Only: true }), 'listening')
  } catch (error) {
    await server.close()
    throw error
  }
  return port
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
