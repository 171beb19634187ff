import type { IncomingHttpHeaders } from 'node:http'
import { beginningOf } from '../sandbox/cloud/exchange'
import { answerFailure } from '../src/endpoint/endpoint-failure'

/** What a backend has answered to a request. */
export type Answer = {
  /** Absent where there was no answer. */
  status?: number
  headers: IncomingHttpHeaders
  body: string
  /** Why there was no answer. */
  error?: string
  /** It did not come in time. */
  isLate?: boolean
  ms: number
}

const isWithin =
  (first: number, last: number) =>
  ({ status = 0 }: Answer): boolean =>
    status >= first && status <= last

export const isTaken = isWithin(200, 299)
export const isRefused = isWithin(400, 499)
export const isNoServerError = isWithin(200, 499)

/** The answer that did not come within a time. */
export const noAnswerWithin = (limitMs: number): Answer => ({
  headers: {},
  body: '',
  error: `no answer within ${limitMs / 1000} s`,
  isLate: true,
  ms: limitMs,
})

/** The characters of a text that are shown. */
const MAX_SHOWN = 60

/** As much of a text as a line has room for. */
export const abridged = (text: string): string => {
  const { text: beginning, omitted } = beginningOf(text.replaceAll(/\s+/g, ' ').trim(), MAX_SHOWN)
  return omitted > 0 ? `${beginning}… (${text.length.toLocaleString('en')} characters)` : beginning
}

/** The answer in words, as `204 in 12 ms`. */
export const inWords = ({ status, headers: { location }, body, error = 'no answer', ms }: Answer): string => {
  if (status === undefined) return error
  const target = location === undefined || status < 300 || status > 399 ? '' : `, a redirect to ${abridged(location)},`
  return `${status}${target} in ${Math.round(ms)} ms${body.trim() === '' ? '' : `: ${abridged(body)}`}`
}

/** What to do where a message was not taken. */
export const adviceOn = ({ status, headers, isLate }: Answer, url: URL): string => {
  if (status !== undefined) return answerFailure(url, { status, headers, bytes: 0 }).advice
  return isLate
    ? 'Answer 2xx at once, before the work is done.'
    : 'See in the backend’s own log whether it is up, listens there, and does not fail on the message.'
}
