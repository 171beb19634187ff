import type { IncomingHttpHeaders } from 'node:http'
import { beginningOf } from '../cloud/exchange'
import { answerFailure } from '../../src/endpoint/endpoint-failure'
import { targetInWords } from '../../src/endpoint/redirect'

/** What a backend has answered to a request. Nothing that is secret is in it. */
export type Answer = {
  /** Absent where there was no answer. */
  status?: number
  /** Where a redirect leads, without its query. */
  redirect?: string
  /** The beginning of its body. */
  body: string
  /** Why there was no answer. */
  error?: string
  /** It did not come in time. */
  isLate?: boolean
  ms: number
  /** How long the body was that was sent, in bytes. */
  sentBytes: number
}

type Received = Pick<Answer, 'status' | 'error' | 'ms' | 'sentBytes'> & {
  headers?: Record<string, unknown>
  body?: string
}

/** @param hide takes out what is secret */
export const answerOf = (
  url: URL,
  { status, headers = {}, body = '', error, ms, sentBytes }: Received,
  hide: (text: string) => string
): Answer => {
  const { location, 'content-encoding': encoding } = headers as IncomingHttpHeaders
  const redirect = status === undefined ? undefined : targetInWords(url, { status, headers: { location } })
  return {
    status,
    ...(redirect !== undefined && { redirect: hide(redirect) }),
    body: encoding === undefined ? hide(body) : '',
    ...(error !== undefined && { error: hide(error) }),
    ms,
    sentBytes,
  }
}

/** The answer that did not come within a time. */
export const noAnswerWithin = (limitMs: number): Answer => ({
  body: '',
  error: `no answer within ${limitMs / 1000} s`,
  isLate: true,
  ms: limitMs,
  sentBytes: 0,
})

const isWithin =
  (first: number, last: number) =>
  ({ status = 0 }: Answer): boolean =>
    status >= first && status <= last

export const isTaken = isWithin(200, 299)
export const isRefusal = isWithin(400, 499)

/** Also where there was none. */
export const isNoServerError = ({ status = 0 }: Answer): boolean => status < 500

/** The characters of a text that are shown. */
const MAX_SHOWN = 60

/** As much of a text as a line has room for, and nothing that a terminal would obey. */
export const abridged = (text: string): string => {
  const { text: beginning, omitted } = beginningOf(text.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim(), MAX_SHOWN)
  return omitted > 0 ? `${beginning}… (${text.length.toLocaleString('en')} characters)` : beginning
}

/** The answer in words, as `204 in 12 ms`. */
export const inWords = ({ status, redirect, body, error = 'no answer', ms }: Answer): string => {
  if (status === undefined) return abridged(error)
  const target = redirect === undefined ? '' : `, a redirect to ${abridged(redirect)},`
  return `${status}${target} in ${Math.round(ms)} ms${body.trim() === '' ? '' : `: ${abridged(body)}`}`
}

/** What to do where a message was not taken. */
export const adviceOn = ({ status, redirect, isLate, sentBytes }: Answer, url: URL): string => {
  if (status !== undefined) {
    return answerFailure(url, { status, headers: { location: redirect }, waitedMs: 0 }, { bytes: sentBytes }).advice
  }
  return isLate
    ? 'Answer 2xx at once, before the work is done.'
    : 'See in the backend’s own log whether it is up, listens there, and does not fail on the message.'
}
