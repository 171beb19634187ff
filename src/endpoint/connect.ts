import dns from 'node:dns'
import { EventEmitter, once } from 'node:events'
import net, { type Socket } from 'node:net'
import { isPublic, PRIVATE_ADDRESSES_ALLOWED } from './public-addresses'
import { CONNECT_TO_ADDRESS_MS } from '../time-limits'

/** Our own error codes. The others are Node's or the system's. */
export const PRIVATE_ADDRESS = 'PRIVATE_ADDRESS'
export const TIMED_OUT = 'TIMED_OUT'

/** No connection was made. */
export class ConnectFailure extends Error {
  constructor(
    readonly code: string,
    /** If the host is a name: each address that was tried, with its error, as `203.0.113.1 (ECONNREFUSED)`. */
    readonly attempts: string[] = []
  ) {
    super(code)
  }
}

/**
 * Connects to a host, trying one address after the other. Node can do that too, but Node 18 crashes if it is aborted meanwhile.
 *
 * @param secure begins TLS over a connection, for https
 * @param deadline in milliseconds since 1970; the addresses share the time
 * @throws ConnectFailure
 */
export const connect = async (
  { host, port }: { host: string; port: number },
  secure: ((socket: Socket) => Socket) | undefined,
  deadline: number
): Promise<Socket> => {
  // An error without a listener ends the process, and this one may come when nobody waits for it any more.
  const lookup = new EventEmitter().on('error', () => {})
  dns.lookup(host, { all: true }, (error, found) =>
    error ? lookup.emit('error', error) : lookup.emit('found', ...found.map(({ address }) => address))
  )
  const addresses: string[] = await happens(lookup, 'found', deadline)
  if (!PRIVATE_ADDRESSES_ALLOWED && !addresses.every(isPublic)) throw new ConnectFailure(PRIVATE_ADDRESS)
  const attempts: string[] = []
  let socket: Socket | undefined
  for (const [index, address] of addresses.entries()) {
    const left = addresses.length - index
    const attemptMs = left === 1 ? Infinity : Math.min(CONNECT_TO_ADDRESS_MS, (deadline - Date.now()) / left)
    try {
      socket = await opened(net.connect({ host: address, port }), 'connect', Math.min(Date.now() + attemptMs, deadline))
      break
    } catch (failure) {
      const { code } = failure as ConnectFailure
      if (address !== host) attempts.push(`${address} (${code})`)
      if (left === 1) throw new ConnectFailure(code, attempts)
    }
  }
  try {
    return secure ? await opened(secure(socket!), 'secureConnect', deadline) : socket!
  } catch (failure) {
    socket!.destroy()
    throw failure
  }
}

const opened = async (socket: Socket, event: string, deadline: number): Promise<Socket> => {
  socket.on('error', () => {})
  try {
    await happens(socket, event, deadline)
    return socket
  } catch (failure) {
    socket.destroy()
    throw failure
  }
}

/** @throws ConnectFailure on an error before the event, or at the deadline */
const happens = async (emitter: EventEmitter, event: string, deadline: number) => {
  const signal = AbortSignal.timeout(Math.max(Math.ceil(deadline - Date.now()), 1))
  try {
    return await once(emitter, event, { signal })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new ConnectFailure(signal.aborted ? TIMED_OUT : (code ?? message))
  }
}
