import { AsyncLocalStorage } from 'node:async_hooks'
import http from 'node:http'
import https from 'node:https'
import { IdleConnections, KEEP_ALIVE } from '../http/idle-connections'
// As the official client requires it: another form would bundle a second copy.
import axios = require('axios')

const httpAgent = new http.Agent(KEEP_ALIVE)
const httpsAgent = new https.Agent(KEEP_ALIVE)
const idleConnections = new IdleConnections([httpAgent, httpsAgent])

const abortion = new AsyncLocalStorage<AbortSignal>()

const send = axios.getAdapter('http')

// The official client takes neither agents nor signals: each client keeps connections of its own, never closes them, and
// finishes what nobody waits for. All clients, the SDK's too, are made from these defaults.
axios.defaults.adapter = async (config) => {
  const signal = abortion.getStore()
  await idleConnections.closeStale()
  // axios itself would send the request before it looks at the signal.
  if (signal?.aborted) throw new axios.CanceledError('given up', config)
  try {
    return await send({ ...config, httpAgent, httpsAgent, signal })
  } catch (thrown) {
    // It may have been lost over a connection that was forgotten on the way, and then the others are too.
    if (axios.isAxiosError(thrown) && !thrown.response) idleConnections.closeAll()
    throw thrown
  }
}

/**
 * Does `work`, and ends with it all that it still asks of Botpress: an instance that is frozen after its answer must not
 * go on when it is thawed, long after.
 *
 * @param work gets the signal that tells of the end, for pauses of its own
 */
export const abortable = async <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
  const controller = new AbortController()
  try {
    return await abortion.run(controller.signal, () => work(controller.signal))
  } finally {
    controller.abort()
  }
}
