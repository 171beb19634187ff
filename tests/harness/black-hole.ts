import { once } from 'node:events'
import net from 'node:net'
import { Worker } from 'node:worker_threads'
import { onTestFinished } from 'vitest'

/** Listens at addresses, tells its port, and then stands still. */
const STANDING_STILL = `
  const { parentPort, workerData } = require('node:worker_threads')
  const { createServer } = require('node:net')
  const listen = (host, port) => new Promise((resolve) => {
    const server = createServer().listen({ host, port, backlog: 1 }, () => resolve(server.address().port))
  })
  const main = async () => {
    let port = workerData.port
    for (const host of workerData.hosts) port = await listen(host, port)
    parentPort.postMessage(port)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  }
  void main()`

/**
 * Makes addresses of this machine silent at a port, as behind a firewall that drops everything: their queues are full, and
 * nobody takes what waits there. Ends with the test.
 *
 * @param port 0 for a free one
 * @returns the port
 */
export const blackHole = async (hosts: string[], port = 0): Promise<number> => {
  const worker = new Worker(STANDING_STILL, { eval: true, workerData: { hosts, port } })
  onTestFinished(async () => void (await worker.terminate()))
  const [listening] = (await once(worker, 'message')) as [number]
  const queues = hosts.flatMap((host) =>
    Array.from({ length: 4 }, () => net.connect(listening, host).on('error', () => {}))
  )
  onTestFinished(() => queues.forEach((socket) => socket.destroy()))
  // The kernel makes these connections, or drops them, at once.
  await new Promise((resolve) => setTimeout(resolve, 50))
  return listening
}
