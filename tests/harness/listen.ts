import type { AddressInfo, Server, Socket } from 'node:net'

/**
 * Lets a server listen at 127.0.0.1, at a free port or that one.
 *
 * @returns the port, and what ends the server with all its connections
 */
export const listen = async (server: Server, wanted = 0): Promise<{ port: number; close: () => Promise<void> }> => {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(wanted, '127.0.0.1', resolve))
  const close = async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    for (const socket of sockets) socket.destroy()
    await closed
  }
  return { port: (server.address() as AddressInfo).port, close }
}
