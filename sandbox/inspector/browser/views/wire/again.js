import { signal } from '@preact/signals'
import { address } from '../../model/address.js'
import { redeliver, repeatable, replay, wholeExchange } from '../../model/server.js'
import { traces, start } from '../../model/store.js'
import { exchangesOf } from '../../model/trace.js'
import { curlOf } from '../../export/curl.js'
import { harOf } from '../../export/har.js'
import { announce } from '../announcer.js'
import { copy } from '../clipboard.js'
import { edit } from './edit-dialog.js'

/** @import { PageStart } from '../../../page' */
/** @import { SeenExchange, SeenMessage } from '../../../wire' */
/** @import { Trace } from '../../model/store' */

/** What the last attempt came to, where it failed, and in which trace. */
export const failure = signal({ trace: '', words: '' })

/**
 * Does something that may be refused, and says how it went.
 *
 * @param {string} what
 * @param {() => Promise<string | undefined | void>} act resolves to why it was refused, where it was
 * @param {string} [done] what is said where it was not
 */
const attempt = async (what, act, done) => {
  const trace = address.trace.value
  const reason = await act().catch(({ message }) => message)
  const words = reason === undefined ? '' : `${what}: ${reason}`
  failure.value = { trace, words }
  if (words || done) announce(words || `${done}`)
}

const startNow = () => /** @type {PageStart} */ (start.value)

/** @param {SeenExchange} exchange */
export const replayExchange = (exchange) => attempt('Replay', () => replay(exchange), 'Replayed')

/** @param {SeenExchange} exchange */
export const editExchange = (exchange) => attempt('Edit and send', () => edit(exchange))

/** Makes the backend's request of a trace anew. @param {string} traceId */
export const replayTrace = async (traceId) => {
  const trace = traces.get(traceId)
  const exchange = trace && exchangesOf(trace).find(({ from }) => from === 'backend')
  if (exchange) await replayExchange(exchange)
  else if (trace) await attempt('Replay', async () => 'no request of a backend is here')
}

/** @param {SeenMessage} message */
export const redeliverMessage = (message) =>
  attempt('Redelivery', async () => (await redeliver(message)).message, 'Redelivered')

/** @param {SeenExchange} exchange */
export const copyAsCurl = (exchange) =>
  attempt('Copy as curl', async () => {
    await copy(curlOf(await repeatable(exchange), startNow()), 'the request as curl')
  })

/** Lets the browser save a text as a file. @param {string} name @param {string} type @param {string} text */
const download = (name, type, text) => {
  const link = Object.assign(document.createElement('a'), {
    href: URL.createObjectURL(new Blob([text], { type })),
    download: name,
  })
  link.click()
  URL.revokeObjectURL(link.href)
}

/** @param {Trace} trace */
export const downloadHar = (trace) =>
  attempt('Download as HAR', async () => {
    const exchanges = await Promise.all(exchangesOf(trace).map((one) => wholeExchange(one).catch(() => one)))
    download('trace.har', 'application/json', JSON.stringify(harOf(exchanges, startNow()), null, 2))
  })
