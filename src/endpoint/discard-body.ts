import type { Readable } from 'node:stream'

const LIMIT_BYTES = 64 * 1024
const LIMIT_MS = 1000

/**
 * Lets an answer's body flow off unread. A short one leaves its connection open for the next request; one that is
 * long or slow is cut off with its connection.
 *
 * @returns when that is done: an instance that is frozen before would hold the connection, and not know how old it is
 */
export const discardBody = (body: Readable): Promise<void> =>
  new Promise((resolve) => {
    let bytes = 0
    const timer = setTimeout(() => body.destroy(), LIMIT_MS)
    body
      .on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes > LIMIT_BYTES) body.destroy()
      })
      .on('close', () => {
        clearTimeout(timer)
        resolve()
      })
      // Delivery was decided by the status: what happens to the body after it changes nothing.
      .on('error', () => {})
  })
