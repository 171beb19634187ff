import type { Exchange } from './exchange'

/** What lets somebody in, and in a word of which sort it is. */
export type Credential = { value: string; sort: string }

/** Headers that hold a credential, known or not. */
const CREDENTIAL_HEADERS = new Set(['authorization', 'proxy-authorization', 'x-bp-secret'])

/** So short a text may stand anywhere for something else. */
const MIN_TELLING_LENGTH = 16

/** The exchange with no credential in it, for whoever watches: only that there was one, and of which sort. */
export const withoutCredentials = (exchange: Exchange, credentials: Credential[]): Exchange => {
  const hidden = (text: string): string =>
    credentials
      .filter(({ value }) => value.length >= MIN_TELLING_LENGTH)
      .reduce((rest, { value, sort }) => rest.replaceAll(value, mark(sort)), text)

  const hiddenHeader = ([name, content]: [string, unknown]): [string, unknown] => {
    const text = String(content)
    const whole = credentials.find(({ value }) => value === text)
    if (whole) return [name, mark(whole.sort)]
    if (!CREDENTIAL_HEADERS.has(name.toLowerCase())) return [name, typeof content === 'string' ? hidden(text) : content]
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
