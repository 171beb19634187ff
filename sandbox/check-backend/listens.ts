import { once } from 'node:events'
import { connect } from 'node:net'

const LIMIT_MS = 5000

/** Whether a connection can be made to the host and port of a URL. One that takes long counts. */
export const listens = async ({ protocol, hostname, port }: URL): Promise<boolean> => {
  const defaultPort = protocol === 'https:' ? 443 : 80
  const socket = connect({ host: hostname.replaceAll(/[[\]]/g, ''), port: Number(port) || defaultPort })
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(LIMIT_MS) })
    return true
  } catch (error) {
    return (error as Error).name === 'AbortError'
  } finally {
    socket.on('error', () => {}).destroy()
  }
}
