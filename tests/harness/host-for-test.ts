import type { Server } from 'node:net'
import { onTestFinished } from 'vitest'
import { listen } from './listen'

/** As `listen`, until the test ends; returns the server's host, with its port. */
export const hostForTest = async (server: Server): Promise<string> => {
  const { port, close } = await listen(server)
  onTestFinished(close)
  return `127.0.0.1:${port}`
}
