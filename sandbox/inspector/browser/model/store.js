import { batch, signal } from '@preact/signals'

/** @import { FaultSettings } from '../../../control/faults' */
/** @import { PageStart } from '../../page' */
/** @import { SeenExchange, SeenMessage } from '../../wire' */
/** @import { InstanceState } from '../../../cloud/function-host/function-host' */

/**
 * All that belongs to a message of a backend, or to one that the bot began with.
 *
 * @typedef {{ id: string, exchanges: Map<string, SeenExchange>, messages: Map<string, SeenMessage>, version: number, overAt?: number }} Trace
 *   `overAt`: when the sandbox that it was in was found ended, in milliseconds since 1970
 */

/** The oldest are dropped: those of ended runs are kept too. */
const MAX_TRACES = 1000
const MAX_EXCHANGES = 3000

/** The run of the sandbox, without which ids are not unique: they begin anew with it. */
let run = ''

/** @type {Map<string, Trace>} in the order of their beginning */
export const traces = new Map()

/** The trace of each exchange, in the order of their beginning. @type {Map<string, Trace>} */
const traceOfExchange = new Map()

/** Goes up with each frame in which something has come: what is shown depends on it. */
export const version = signal(0)

/** @type {import('@preact/signals').Signal<(PageStart & { run: string }) | undefined>} */
export const start = signal(undefined)

/** @type {import('@preact/signals').Signal<FaultSettings | undefined>} */
export const faults = signal(undefined)

/** How many changes of them are on their way: until they are answered, what the server tells is older than what is shown. */
export const faultChanges = signal(0)

/** @type {import('@preact/signals').Signal<InstanceState[]>} */
export const instances = signal([])

/** How the last request to the endpoint ended that has ended. @type {import('@preact/signals').Signal<SeenExchange | undefined>} */
export const lastTry = signal(undefined)

/** When the sandbox was found started anew, in milliseconds since 1970. @type {import('@preact/signals').Signal<number[]>} */
export const restarts = signal([])

/** @param {string} id */
const ofRun = (id) => `${run.slice(0, 8)}~${id}`

/** The id that the server knows something by. @param {string} id */
export const idOnServer = (id) => id.slice(id.indexOf('~') + 1)

/** Whether the sandbox that it is from still runs. @param {string} id */
export const isOfThisRun = (id) => id.startsWith(ofRun(''))

/** @param {string} id @returns {Trace} */
const traceWith = (id) => {
  const found = traces.get(id)
  if (found) return found
  const trace = { id, exchanges: new Map(), messages: new Map(), version: 0 }
  traces.set(id, trace)
  for (const oldest of traces.keys()) {
    if (traces.size <= MAX_TRACES) break
    traces.delete(oldest)
  }
  return trace
}

const dropOldestExchanges = () => {
  for (const [id, trace] of traceOfExchange) {
    if (traceOfExchange.size <= MAX_EXCHANGES) break
    traceOfExchange.delete(id)
    trace.exchanges.delete(id)
    trace.version++
    if (trace.exchanges.size + trace.messages.size === 0) traces.delete(trace.id)
  }
}

const endRun = () => {
  const now = Date.now()
  restarts.value = [...restarts.value, now]
  for (const trace of traces.values()) {
    trace.overAt ??= now
    trace.version++
  }
}

/** What each kind of event does. @type {Record<string, (data: any) => void>} */
const appliers = {
  start: (data) => {
    if (run !== '' && data.run !== run) endRun()
    run = data.run
    start.value = data
  },
  faults: (data) => {
    if (faultChanges.value === 0) faults.value = data
  },
  instances: (data) => (instances.value = data),
  exchange: (data) => {
    const trace = traceWith(ofRun(data.trace))
    trace.exchanges.set(ofRun(data.id), { ...data, id: ofRun(data.id), trace: trace.id })
    traceOfExchange.set(ofRun(data.id), trace)
    if (data.to === 'endpoint' && data.durationMs !== undefined && data.at >= (lastTry.value?.at ?? 0))
      lastTry.value = data
    trace.version++
    dropOldestExchanges()
  },
  message: (data) => {
    const trace = traceWith(ofRun(data.trace))
    trace.messages.set(ofRun(data.id), { ...data, id: ofRun(data.id), trace: trace.id })
    trace.version++
  },
}

/** @param {{ kind: string, data: string }[]} events */
export const apply = (events) =>
  batch(() => {
    for (const { kind, data } of events) appliers[kind]?.(JSON.parse(data))
    version.value++
  })
