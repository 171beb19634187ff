// @ts-check
// One warm instance of the integration: the built bundle, with an environment and a memory of its own.
const { parentPort, workerData } = require('node:worker_threads')
const { handler } = require(workerData.bundle)

parentPort?.on('message', async ({ id, request }) => {
  try {
    parentPort?.postMessage({ id, response: await handler(request) })
  } catch (error) {
    parentPort?.postMessage({ id, error })
  }
})
