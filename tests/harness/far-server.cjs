// @ts-check
// A server that stands still for half a second with few places in its queue: whoever finds the queue full is connected a
// second later, when TCP asks again.
const http = require('node:http')

const server = http.createServer((request, response) => request.resume().on('end', () => response.writeHead(204).end()))

server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  process.send?.(port, () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500))
})
