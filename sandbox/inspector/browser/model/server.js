import { repeatableHeaders } from './repeatable-headers.js'
import { idOnServer, isOfThisRun, start } from './store.js'

/** @import { FaultSettings } from '../../../control/faults' */
/** @import { SeenExchange, SeenMessage } from '../../wire' */

/** @param {string} path @param {RequestInit} [init] */
const ask = async (path, init) => {
  const response = await fetch(path, init)
  const body = await response.json()
  if (!response.ok) throw new Error(body.message ?? body.detail ?? `The sandbox answered ${response.status}`)
  return body
}

const JSON_HEADERS = { 'content-type': 'application/json' }

/**
 * An exchange with its bodies whole.
 *
 * @param {SeenExchange} exchange
 * @returns {Promise<SeenExchange>}
 * @throws Error where the sandbox that had them is gone, or keeps them no longer
 */
export const wholeExchange = async (exchange) => {
  if (!exchange.requestBodyOmitted && !exchange.responseBodyOmitted) return exchange
  if (!isOfThisRun(exchange.id)) throw new Error('The sandbox that had it was ended')
  return { ...(await ask(`/exchanges/${idOnServer(exchange.id)}`)), id: exchange.id, trace: exchange.trace }
}

/**
 * A request with the whole of its body, to be made again.
 *
 * @param {SeenExchange} exchange
 * @throws Error where not all of it is kept
 */
export const repeatable = async (exchange) => {
  const whole = await wholeExchange(exchange)
  if (!whole.requestBodyOmitted) return whole
  throw new Error(
    `the body is too long, ${whole.requestBodyOmitted.toLocaleString('en')} characters of it are not kept`
  )
}

/** The payload of a message, whole. @param {SeenMessage} message @returns {Promise<unknown>} @throws Error as above */
export const wholePayload = async (message) => {
  if (message.payload !== undefined) return message.payload
  if (!isOfThisRun(message.id)) throw new Error('The sandbox that had it was ended')
  return (await ask(`/messages/${idOnServer(message.id)}`)).payload
}

/** @param {FaultSettings} settings @throws Error that says what is refused */
export const setFaults = (settings) =>
  ask('/control/faults', { method: 'PUT', headers: JSON_HEADERS, body: JSON.stringify(settings) })

export const resetFaults = () => ask('/control/faults', { method: 'DELETE' })

/** Delivers a message of the bot once more. @param {SeenMessage} message @returns {Promise<{ message?: string }>} */
export const redeliver = (message) => ask(`/messages/${idOnServer(message.id)}/deliveries`, { method: 'POST' })

/**
 * Sends a message or an event to the webhook, as a backend does.
 *
 * @param {object} body
 * @param {{ isEvent?: boolean, prefer?: string }} [how]
 * @returns {Promise<string | undefined>} why it was refused, where it was
 */
export const sendToBot = async (body, { isEvent = false, prefer = '' } = {}) => {
  const headers = { authorization: `Bearer ${start.value?.key}`, ...JSON_HEADERS, ...(prefer && { prefer }) }
  const path = `${webhookPath()}${isEvent ? '/events' : ''}`
  return refusal(fetch(path, { method: 'POST', headers, body: JSON.stringify(body) }))
}

/** Lets the bot write first. @param {object} body as the control API has it @returns {Promise<string | undefined>} as above */
export const sayAsBot = (body) =>
  refusal(fetch('/control/messages', { method: 'POST', headers: JSON_HEADERS, body: JSON.stringify(body) }))

/** Asks the integration to deliver what it has marked. @param {'failed' | 'unknown'} delivery @returns {Promise<string>} */
export const redeliverMarked = async (delivery) => {
  const response = await fetch(`${webhookPath()}/redeliveries`, {
    method: 'POST',
    headers: { authorization: `Bearer ${start.value?.key}`, ...JSON_HEADERS },
    body: JSON.stringify({ delivery }),
  })
  const { delivered, undelivered, more, reason, detail } = await response.json()
  const others = more ? ', others wait' : ''
  return detail ?? `Redelivered ${delivered}, not delivered ${undelivered}${others}${reason ? `. ${reason}` : ''}`
}

/** @param {object} body @returns {Promise<{ messages: { botpressMessageId: string }[] }>} */
const pull = (body) =>
  ask(`${webhookPath()}/pull`, {
    method: 'POST',
    headers: { authorization: `Bearer ${start.value?.key}`, ...JSON_HEADERS },
    body: JSON.stringify(body),
  })

/** Takes up to 100 messages that wait, as a backend does that fetches them. @throws Error that says what is refused */
export const takeWaiting = async () => {
  const { messages } = await pull({ limit: 100 })
  await pull({ taken: messages.map(({ botpressMessageId }) => botpressMessageId), limit: 1 })
  return `Taken: ${messages.length}`
}

/**
 * Makes a backend's request anew, with the credential that it had.
 *
 * @param {SeenExchange} exchange
 * @returns {Promise<string | undefined>} why it was refused, where it was
 */
export const replay = async (exchange) => {
  const whole = await repeatable(exchange)
  return request({
    method: whole.method,
    url: whole.url,
    headers: repeatableHeaders(whole, /** @type {any} */ (start.value)),
    body: whole.requestBody,
  })
}

/** @param {{ method: string, url: string, headers: [string, string][], body?: string }} request */
export const request = ({ method, url, headers, body }) =>
  // With the origin: a path that begins with two slashes would be a host.
  refusal(fetch(location.origin + url, { method, headers, ...(body !== undefined && method !== 'GET' && { body }) }))

const webhookPath = () => new URL(start.value?.webhookUrl ?? '/webhook', location.href).pathname

/** @param {Promise<Response>} answer */
const refusal = async (answer) => {
  try {
    const response = await answer
    if (response.ok) return undefined
    const text = await response.text()
    try {
      const { detail, message } = JSON.parse(text)
      return `${response.status}: ${detail ?? message}`
    } catch {
      return `${response.status}: ${text.slice(0, 200)}`
    }
  } catch (error) {
    return `It could not be sent: ${/** @type {Error} */ (error).message}`
  }
}
