import { parsedExactly } from '../../model/exact-json.js'
import { isOk } from '../../model/trace.js'

/** @import { SeenExchange } from '../../../wire' */

/** @typedef {{ words: string, anchor: string }} Reason */

/** As the integration has it: what of an endpoint's answers may pass. @param {number} status */
const mayPass = (status) => status === 408 || status === 425 || status === 429 || status >= 500

/** So late, a 5xx is a gateway's that gave up on a backend which still works. */
const LATE_MS = 10_000

/** What the integration does while it knows that the endpoint is down. */
const KNOWN_DOWN = ', or once if the delivery before failed within the last minute'

/** @param {SeenExchange} exchange @returns {string} */
const wordsOfEndpoint = ({ status, error, durationMs = 0 }) => {
  if (status === undefined)
    return `The endpoint gave no answer: ${error}. A message is tried up to four times${KNOWN_DOWN}.`
  if (status >= 300 && status < 400)
    return `The endpoint answered with a redirect (${status}). Only 307 and 308 to the same host are followed: after others, a POST loses its message.`
  if (status === 504 || status === 524 || (status >= 500 && durationMs >= LATE_MS))
    return `The endpoint answered ${status}, as gateways do while a backend still works: the message may have arrived, and is not tried again.`
  if (mayPass(status))
    return `The endpoint answered ${status}, which may pass: a message is tried up to four times${KNOWN_DOWN}.`
  return `The endpoint answered ${status}: it refuses the message, which is not tried again.`
}

/**
 * Why something went wrong, in plain words, and the heading of the guide under which it is explained.
 *
 * @param {SeenExchange} exchange
 * @returns {Reason | undefined} nothing where it went right, or is under way
 */
export const explain = (exchange) => {
  const { to, status, error, responseBody } = exchange
  if ((status === undefined && error === undefined) || isOk(exchange)) return undefined
  if (to === 'endpoint') return { words: wordsOfEndpoint(exchange), anchor: 'receiving-the-bots-messages' }
  const body = parsedExactly(responseBody)
  if (to === 'Botpress') {
    const words = `Botpress answered ${status ?? error}${body?.message ? `: ${body.message}` : ''}. Where that may pass, the call is made again.`
    return { words, anchor: 'errors' }
  }
  return { words: body?.detail ?? `The webhook answered ${status ?? error}.`, anchor: 'errors' }
}
