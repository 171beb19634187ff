import { repeatableHeaders } from '../model/repeatable-headers.js'

/** @import { PageStart } from '../../page' */
/** @import { SeenExchange } from '../../wire' */

/** @param {unknown} text */
export const shell = (text) => `'${String(text).replaceAll("'", `'\\''`)}'`

/** An argument of a command may have 128 KiB (Linux); what is longer goes through a file. */
const MAX_ARGUMENT = 100_000

/** @param {Pick<SeenExchange, 'to' | 'url'>} exchange @param {Pick<PageStart, 'apiUrl'>} start */
export const urlOf = ({ to, url }, { apiUrl }) => (to === 'endpoint' ? url : apiUrl + url)

/**
 * A command for a shell that makes the same request.
 *
 * @param {Pick<SeenExchange, 'to' | 'method' | 'url' | 'requestHeaders' | 'requestBody'>} exchange its body whole
 * @param {Pick<PageStart, 'apiUrl' | 'key' | 'token'>} start
 */
export const curlOf = (exchange, start) => {
  const { method, requestBody } = exchange
  const headers = repeatableHeaders(exchange, start).map(([name, value]) =>
    // A header without a value is left out by curl, unless it ends so.
    value === '' ? `-H ${shell(`${name};`)}` : `-H ${shell(`${name}: ${value}`)}`
  )
  const isLong = requestBody !== undefined && new TextEncoder().encode(requestBody).length > MAX_ARGUMENT
  const body =
    requestBody === undefined ? [] : isLong ? ['--data-binary @"$body"'] : [`--data-raw ${shell(requestBody)}`]
  const file = isLong ? `body=$(mktemp)\nprintf %s ${shell(requestBody)} > "$body"\n` : ''
  // Without -g, brackets and braces of a URL are patterns.
  return file + [`curl -g -X ${method} ${shell(urlOf(exchange, start))}`, ...headers, ...body].join(' \\\n  ')
}
