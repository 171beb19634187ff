import { signal } from '@preact/signals'
import { redeliver, replay, wholeExchange } from '../../model/server.js'
import { traces, start } from '../../model/store.js'
import { exchangesOf } from '../../model/trace.js'
import { copy, download } from '../../export/clipboard.js'
import { curlOf } from '../../export/curl.js'
import { harOf } from '../../export/har.js'
import { announce } from '../announcer.js'

/** @import { PageStart } from '../../../page' */
/** @import { SeenExchange, SeenMessage } from '../../../wire' */
/** @import { Trace } from '../../model/store' */

/** What the last attempt came to, where it failed. */
export const failure = signal('')

/**
 * Does something that may be refused, and says how it went.
 *
 * @param {string} what
 * @param {() => Promise<string | undefined | void>} act resolves to why it was refused, where it was
 */
const attempt = async (what, act) => {
  const reason = await act().catch(({ message }) => message)
  failure.value = reason === undefined ? '' : `${what}: ${reason}`
  if (reason !== undefined) announce(failure.value)
}

const startNow = () => /** @type {PageStart} */ (start.value)

/** @param {SeenExchange} exchange */
export const replayExchange = (exchange) => attempt('Replay', () => replay(exchange))

/** Makes the backend's request of a trace anew. @param {string} traceId */
export const replayTrace = async (traceId) => {
  const trace = traces.get(traceId)
  const exchange = trace && exchangesOf(trace).find(({ from }) => from === 'backend')
  if (exchange) await replayExchange(exchange)
}

/** @param {SeenMessage} message */
export const redeliverMessage = (message) => attempt('Redelivery', async () => (await redeliver(message)).message)

/** @param {SeenExchange} exchange */
export const copyAsCurl = (exchange) =>
  attempt('Copy as curl', async () => {
    await copy(curlOf(await wholeExchange(exchange), startNow()), 'the request as curl')
  })

/** @param {Trace} trace */
export const downloadHar = (trace) =>
  attempt('Download as HAR', async () => {
    const exchanges = await Promise.all(exchangesOf(trace).map(wholeExchange))
    download('trace.har', 'application/json', JSON.stringify(harOf(exchanges, startNow()), null, 2))
  })
