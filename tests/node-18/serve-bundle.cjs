// @ts-check
// Hands each request that comes from the parent process to a bundle, whose path is the only argument.
const { handler } = require(/** @type {string} */ (process.argv[2]))

process.on('message', async (/** @type {{ id: number, job: { request?: object } }} */ { id, job }) => {
  process.send?.({ id, result: job.request ? await handler(job.request) : process.memoryUsage().heapUsed })
})
