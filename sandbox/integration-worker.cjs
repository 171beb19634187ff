// @ts-check
// One warm instance of the integration: the built bundle, with an environment and a memory of its own.
const v8 = require('node:v8')
const vm = require('node:vm')
const { parentPort, workerData } = require('node:worker_threads')
const { handler } = require(workerData.bundle)

v8.setFlagsFromString('--expose-gc')
const collectGarbage = vm.runInNewContext('gc')

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
