// @ts-check
// One instance of the integration: the built bundle, with an environment and a memory of its own. Between two jobs it is
// frozen: its thread stands still, with all timers, sockets and promises of it.
const { readFileSync } = require('node:fs')
const Module = require('node:module')
const { dirname } = require('node:path')
const v8 = require('node:v8')
const vm = require('node:vm')
const { inspect } = require('node:util')
const { parentPort, workerData } = require('node:worker_threads')
const { failRequests } = require('./fail-requests.cjs')
const { observeRequests } = require('./observe-requests.cjs')

const { bundle, gate, elapsed } = workerData

/** As `require` does it, but for what V8 has made of the code before. @param {string} path @param {Buffer} [cachedData] */
const load = (path, cachedData) => {
  const script = new vm.Script(Module.wrap(readFileSync(path, 'utf8')), { filename: path, cachedData })
  const module = { exports: /** @type {any} */ ({}) }
  script
    .runInThisContext()
    .call(module.exports, module.exports, Module.createRequire(path), module, path, dirname(path))
  return { handler: module.exports.handler, cache: cachedData ? undefined : script.createCachedData() }
}

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
/** @type {string | undefined} */
let callNow
const botpress = `${process.env.BP_API_URL}/v1/`
if (workerData.faults) {
  failRequests({ botpress, ...workerData.faults, tell: () => parentPort?.postMessage({ fault: true }) })
}
observeRequests({
  botpress,
  callNow: () => callNow,
  report: (exchange) => parentPort?.postMessage({ exchange }),
})

// Before the integration is loaded: V8 throws away what it has made of code under other flags.
v8.setFlagsFromString('--expose-gc')
const collectGarbage = vm.runInNewContext('gc')

const { handler, cache } = load(bundle, workerData.cache)
// The next instances need not compile it again.
if (cache) parentPort?.postMessage({ cache })

// At once, and not by turns of the event loop, which may stand still then.
for (const [output, stream] of [process.stdout, process.stderr].entries()) {
  stream.write = (
    /** @type {string | Uint8Array} */ chunk,
    /** @type {any} */ encoding,
    /** @type {any} */ done = encoding
  ) => {
    parentPort?.postMessage({ output, text: typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString() })
    if (typeof done === 'function') done()
    return true
  }
}

/** @param {{ request?: object, call?: string }} job */
const carryOut = async ({ request }) => {
  if (request) return handler(request)
  collectGarbage()
  return v8.getHeapStatistics().used_heap_size
}

parentPort?.on('message', async (job) => {
  Atomics.store(gate, 0, 0)
  callNow = job.call
  try {
    parentPort?.postMessage({ result: await carryOut(job) })
  } catch (error) {
    // As text: not everything that is thrown can be sent.
    parentPort?.postMessage({ error: inspect(error).split('\n')[0] })
  }
  Atomics.wait(gate, 0, 0)
})
