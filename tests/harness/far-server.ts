import { fork } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import { onTestFinished } from 'vitest'

/**
 * Starts a server of another process, as far away as another continent: the next connection to it takes a second. It answers
 * all requests with 204, and ends with the test.
 *
 * @returns its port at 127.0.0.1
 */
export const farServer = async (): Promise<number> => {
  const child = fork(new URL('./far-server.cjs', import.meta.url), { execArgv: [] })
  onTestFinished(() => void child.kill())
  const [port] = (await once(child, 'message')) as [number]
  const queue = Array.from({ length: 4 }, () => net.connect(port, '127.0.0.1').on('error', () => {}))
  onTestFinished(() => queue.forEach((socket) => socket.destroy()))
  // The kernel makes these connections, or drops them, at once.
  await new Promise((resolve) => setTimeout(resolve, 50))
  return port
}
