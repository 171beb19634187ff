// @ts-check
// One warm instance of the integration: the built bundle, with an environment and a memory of its own.
const v8 = require('node:v8')
const vm = require('node:vm')
const { parentPort, workerData } = require('node:worker_threads')
const { observeRequests } = require('./observe-requests.cjs')
const { handler } = require(workerData.bundle)

v8.setFlagsFromString('--expose-gc')
const collectGarbage = vm.runInNewContext('gc')

// Before the integration's first request: what it sends to others than Botpress is nowhere else to be seen.
observeRequests(`${process.env.BP_API_URL}/v1/`, (exchange) => parentPort?.postMessage({ exchange }))

/** @param {any} job */
const carryOut = (job) => {
  if ('request' in job) return handler(job.request)
  collectGarbage()
  return v8.getHeapStatistics().used_heap_size
}

parentPort?.on('message', async ({ id, job }) => {
  try {
    parentPort?.postMessage({ id, result: await carryOut(job) })
  } catch (error) {
    parentPort?.postMessage({ id, error })
  }
})
