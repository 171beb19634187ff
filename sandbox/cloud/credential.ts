import type { Exchange } from './exchange'
import { redactor } from './redact'

/** What lets somebody in, and in a word of which sort it is. */
export type Credential = { value: string; sort: string }

/** Headers that hold a credential, known or not. */
const CREDENTIAL_HEADER = /^(proxy-)?authorization$|^(set-)?cookie2?$|(api-?key|token|secret|password)$/i

/** So short a text may stand anywhere for something else. */
const MIN_TELLING_LENGTH = 12

/** The exchange with no credential in it, for whoever watches: only that there was one, and of which sort. */
export const withoutCredentials = (exchange: Exchange, credentials: Credential[]): Exchange => {
  const hidden = redactor(
    credentials.map(({ value, sort }) => ({ value, mark: mark(sort) })),
    MIN_TELLING_LENGTH
  )

  const hiddenHeader = ([name, content]: [string, unknown]): [string, unknown] => {
    const text = String(content)
    const whole = credentials.find(({ value }) => value === text)
    if (whole) return [name, mark(whole.sort)]
    if (!CREDENTIAL_HEADER.test(name)) return [name, typeof content === 'string' ? hidden(text) : content]
    const scheme = text.match(/^(Bearer|Basic) +/i)?.[0] ?? ''
    const sort = credentials.find(({ value }) => scheme + value === text)?.sort ?? 'unknown'
    return [name, scheme + mark(sort)]
  }

  const { url, requestHeaders, requestBody, responseHeaders, responseBody } = exchange
  return {
    ...exchange,
    url: hidden(url),
    requestHeaders: Object.fromEntries(Object.entries(requestHeaders).map(hiddenHeader)),
    // What is sent may be echoed.
    ...(responseHeaders && { responseHeaders: Object.fromEntries(Object.entries(responseHeaders).map(hiddenHeader)) }),
    ...(requestBody !== undefined && { requestBody: hidden(requestBody) }),
    ...(responseBody !== undefined && { responseBody: hidden(responseBody) }),
  }
}

const mark = (sort: string): string => `••• (${sort})`
