// @ts-check
// Hands each request that comes from the parent process to a bundle, whose path is the only argument.
const { handler } = require(/** @type {string} */ (process.argv[2]))

process.on('message', async (/** @type {{ request?: object }} */ { request }) => {
  process.send?.({ result: request ? await handler(request) : process.memoryUsage().heapUsed })
})
