// @ts-check
// One instance of the integration: the built bundle, with an environment and a memory of its own. Between two jobs it is
// frozen: its thread stands still, with all timers, sockets and promises of it.
const v8 = require('node:v8')
const vm = require('node:vm')
const { parentPort, workerData } = require('node:worker_threads')
const { observeRequests } = require('./observe-requests.cjs')

const { bundle, gate, elapsed } = workerData

// Before anything looks at a clock.
for (const clock of [Date, performance]) {
  const now = clock.now.bind(clock)
  clock.now = () => now() + elapsed[0]
}
globalThis.Date = new Proxy(Date, {
  construct: (target, given, newTarget) =>
    Reflect.construct(target, given.length > 0 ? given : [target.now()], newTarget),
})

// Before the integration's first request: what it sends to others than Botpress is nowhere else to be seen.
observeRequests(`${process.env.BP_API_URL}/v1/`, (exchange) => parentPort?.postMessage({ exchange }))

const { handler } = require(bundle)

v8.setFlagsFromString('--expose-gc')
const collectGarbage = vm.runInNewContext('gc')

/** @param {{ request?: object }} job */
const carryOut = async ({ request }) => {
  if (request) return handler(request)
  collectGarbage()
  return v8.getHeapStatistics().used_heap_size
}

/** What is written reaches the other thread by turns of this one's event loop. */
const logged = () =>
  Promise.all(
    [process.stdout, process.stderr].map(
      (output) => output.writableLength > 0 && new Promise((resolve) => output.write('', resolve))
    )
  )

parentPort?.on('message', async (job) => {
  Atomics.store(gate, 0, 0)
  const outcome = await carryOut(job).then(
    (result) => ({ result }),
    (error) => ({ error })
  )
  await logged()
  parentPort?.postMessage(outcome)
  Atomics.wait(gate, 0, 0)
})
