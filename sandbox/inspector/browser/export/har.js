import { urlOf } from './curl.js'

/** @import { Entry, Har, Header } from 'har-format' */
/** @import { PageStart } from '../../page' */
/** @import { SeenExchange } from '../../wire' */

/** @param {Record<string, unknown>} [headers] @returns {Header[]} */
const headersOf = (headers = {}) => Object.entries(headers).map(([name, value]) => ({ name, value: String(value) }))

/** @param {Record<string, unknown>} [headers] */
const typeOf = (headers = {}) => String(headers['content-type'] ?? headers['Content-Type'] ?? '')

const byteLength = (text = '') => new TextEncoder().encode(text).length

/** @param {SeenExchange} exchange @param {PageStart} start @returns {Entry} */
const entryOf = (exchange, start) => {
  const {
    at,
    durationMs = 0,
    method,
    requestHeaders,
    requestBody,
    status = 0,
    responseHeaders,
    responseBody,
    error,
  } = exchange
  const url = urlOf(exchange, start)
  return {
    startedDateTime: new Date(at).toISOString(),
    time: durationMs,
    request: {
      method,
      url,
      httpVersion: 'HTTP/1.1',
      cookies: [],
      headers: headersOf(requestHeaders),
      queryString: [...new URL(url).searchParams].map(([name, value]) => ({ name, value })),
      ...(requestBody !== undefined && { postData: { mimeType: typeOf(requestHeaders), text: requestBody } }),
      headersSize: -1,
      bodySize: byteLength(requestBody),
    },
    response: {
      status,
      statusText: '',
      httpVersion: 'HTTP/1.1',
      cookies: [],
      headers: headersOf(responseHeaders),
      content: { size: byteLength(responseBody), mimeType: typeOf(responseHeaders), text: responseBody ?? '' },
      redirectURL: String(responseHeaders?.['location'] ?? ''),
      headersSize: -1,
      bodySize: byteLength(responseBody),
    },
    cache: {},
    timings: { send: 0, wait: durationMs, receive: 0 },
    ...(error !== undefined && { comment: error }),
  }
}

/**
 * Requests as an HTTP Archive (HAR 1.2), which browsers and other tools open. Credentials are not in it.
 *
 * @param {SeenExchange[]} exchanges their bodies whole
 * @param {PageStart} start
 * @returns {Har}
 */
export const harOf = (exchanges, start) => ({
  log: {
    version: '1.2',
    creator: { name: 'Messaging API sandbox', version: '1' },
    entries: exchanges.map((exchange) => entryOf(exchange, start)),
  },
})
