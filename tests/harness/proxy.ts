import { connect, createServer, type Socket } from 'node:net'
import { listen } from './listen'

export type Proxy = {
  /** The address behind it, through the proxy. */
  url: string
  /** How many connections were opened to it. */
  connections: () => number
  /** How many of them are open. */
  open: () => number
  /** Over how many something was sent after they were forgotten. */
  lost: () => number
  /**
   * Forgets the connections there are, as a NAT gateway does with idle ones: whoever sends something over one gets a reset,
   * or no answer ever. With `end`, they are closed, as servers do it.
   */
  forget: (how: 'reset' | 'silence' | 'end') => void
  close: () => Promise<void>
}

/** Starts a proxy of connections to the host of a URL. */
export const startProxy = async (behind: string): Promise<Proxy> => {
  const { hostname, port, pathname, search } = new URL(behind)
  const open = new Map<Socket, Socket>()
  let connections = 0
  let lost = 0
  const server = createServer((near) => {
    connections++
    const far = connect(Number(port), hostname)
    open.set(near, far)
    near.on('error', () => far.destroy()).on('close', () => open.delete(near))
    far.on('error', () => near.destroy())
    near.pipe(far).pipe(near)
  })
  const { port: ownPort, close } = await listen(server)
  return {
    url: `http://127.0.0.1:${ownPort}${pathname}${search}`,
    connections: () => connections,
    open: () => open.size,
    lost: () => lost,
    forget: (how) => {
      for (const [near, far] of open) {
        near.unpipe().removeAllListeners('data')
        far.unpipe().destroy()
        near.once('data', () => {
          lost++
          if (how === 'reset') near.resetAndDestroy()
        })
        near.resume()
        if (how === 'end') near.end()
      }
    },
    close,
  }
}
