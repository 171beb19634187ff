import dns from 'node:dns'
import net, { type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { isPublic, PRIVATE_ADDRESSES_ALLOWED } from './public-addresses'

/** For each address of a host but the last. Node's own 250 ms are too short for another continent. */
const ATTEMPT_MS = 2500

/** No connection was made. */
export class ConnectFailure extends Error {
  constructor(
    /** Of Node or the system, such as ECONNREFUSED. */
    readonly code: string,
    /** The addresses that were tried, each with what came of it, as `203.0.113.1 (ECONNREFUSED)`. */
    readonly attempts: string[] = []
  ) {
    super(code)
  }
}

/** The host has an address that messages do not go to. */
export const PRIVATE_ADDRESS = 'PRIVATE_ADDRESS'

export const TIMED_OUT = 'ETIMEDOUT'

/**
 * Connects to a host, to one of its addresses after the other. Node does so too, but Node 18 crashes if it is given up
 * meanwhile (`internalConnectMultiple`).
 *
 * @param secure agrees on TLS over a connection, if that is asked for
 * @param deadline in milliseconds since 1970: with many addresses, each has its share of the time
 * @throws ConnectFailure
 */
export const connect = async (
  { host, port }: { host: string; port: number },
  secure: ((socket: Socket) => TLSSocket) | undefined,
  deadline: number
): Promise<Socket> => {
  const addresses = await ready(lookUp(host), deadline)
  if (!PRIVATE_ADDRESSES_ALLOWED && !addresses.every(isPublic)) throw new ConnectFailure(PRIVATE_ADDRESS)
  const attempts: string[] = []
  for (const [index, address] of addresses.entries()) {
    const leftMs = deadline - Date.now()
    const isLast = index === addresses.length - 1
    const attemptMs = isLast ? leftMs : Math.min(ATTEMPT_MS, leftMs / (addresses.length - index))
    const socket = net.connect({ host: address, port })
    try {
      await ready(event(socket, 'connect'), Date.now() + attemptMs)
    } catch (error) {
      socket.destroy()
      const { code } = error as ConnectFailure
      if (address !== host) attempts.push(`${address} (${code})`)
      if (isLast) throw new ConnectFailure(code, attempts)
      continue
    }
    if (!secure) return socket
    const secured = secure(socket)
    try {
      await ready(event(secured, 'secureConnect'), deadline)
      return secured
    } catch (error) {
      secured.destroy()
      throw error
    }
  }
  throw new ConnectFailure('ENOTFOUND')
}

const lookUp = (host: string): Promise<string[]> =>
  new Promise((resolve, reject) => {
    dns.lookup(host, { all: true }, (error, found) =>
      error ? reject(error) : resolve(found.map(({ address }) => address))
    )
  })

const event = (socket: Socket, name: string): Promise<void> =>
  // Its errors are listened to for ever: one that comes before somebody else listens would end the process.
  new Promise((resolve, reject) => socket.once(name, () => resolve()).on('error', reject))

/** @throws ConnectFailure if `work` fails, or is not ready in time */
const ready = async <T>(work: Promise<T>, deadline: number): Promise<T> => {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new ConnectFailure(TIMED_OUT)), Math.max(deadline - Date.now(), 1))
  })
  try {
    return await Promise.race([work, timeout])
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw error instanceof ConnectFailure ? error : new ConnectFailure(code ?? message)
  } finally {
    clearTimeout(timer)
  }
}
