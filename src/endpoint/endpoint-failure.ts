import type { IncomingHttpHeaders } from 'node:http'
import { retryAfterMs } from '../http/retry-after'
import { LATE_ANSWER_MS } from '../time-limits'
import { ConnectFailure, PRIVATE_ADDRESS, TIMED_OUT } from './connect'
import { PRIVATE_ADDRESSES_ALLOWED } from './public-addresses'
import { targetInWords } from './redirect'

/** How far a request to the endpoint has come; `answering` if an answer has begun and is not there. */
export type Progress = 'connecting' | 'sending' | 'sent' | 'answering' | 'answered'

type Details = {
  /** What the endpoint has answered, where it has. */
  status?: number
  /** A connection was made. */
  isReached?: boolean
  /** Whether the same message may well be taken later. */
  isTemporary?: boolean
  /** How long the endpoint asks to wait. */
  retryAfterMs?: number
  /** It was sent whole, and the answer does not tell whether it was taken. */
  mayHaveArrived?: boolean
  timedOut?: boolean
}

/** The endpoint did not take a message. The `message` is a clause without its end: it names the host and the reason. */
export class EndpointFailure extends Error {
  /** How many there have been. */
  tries = 1

  constructor(
    message: string,
    /** What the owner of the endpoint can do about it, as a sentence. */
    readonly advice: string,
    readonly details: Details = {}
  ) {
    super(message)
  }

  /** What became of a message, for the bot's log. */
  reportOn(messageId: string): string {
    const fate = this.details.mayHaveArrived ? 'may have arrived,' : 'was not delivered'
    const tries = this.tries === 1 ? '1 try' : `${this.tries} tries`
    return `The message ${messageId} ${fate} in ${tries}: ${this.message}. ${this.advice}`
  }
}

const isRetried = (status: number): boolean =>
  status === 408 || status === 425 || status === 429 || isServerError(status)

const isServerError = (status: number): boolean => status >= 500 && status <= 599

/**
 * The endpoint has answered, but not taken the message. Nothing of a query or a password is in the words.
 *
 * @param answer with the time from when the request was sent whole to the head
 * @param bytes of the message's body
 * @param secret was sent with the message, and is not in the words either
 */
export const answerFailure = (
  url: URL,
  answer: { status: number; headers: IncomingHttpHeaders; waitedMs: number },
  { bytes, secret }: { bytes: number; secret?: string }
): EndpointFailure => {
  const { status, headers, waitedMs } = answer
  const isLate = isServerError(status) && waitedMs >= LATE_ANSWER_MS
  // 504 and Cloudflare's 524 say that a gateway has waited in vain.
  const mayHaveArrived = isLate || status === 504 || status === 524
  const details = {
    status,
    mayHaveArrived,
    isTemporary: !mayHaveArrived && isRetried(status),
    isReached: true,
    retryAfterMs: retryAfterMs(headers['retry-after']),
  }
  const target = targetInWords(url, answer, secret)
  if (target) {
    return new EndpointFailure(
      `${url.host} answered ${status}, a redirect to ${target}, which is not followed`,
      'Set the Response Endpoint URL to the address that takes the messages itself.',
      details
    )
  }
  if (mayHaveArrived) {
    const after = isLate ? ` after ${secondsOf(waitedMs)} s` : ''
    return new EndpointFailure(
      `${url.host} answered ${status}${after}, which a gateway does while the endpoint still works`,
      PROMPT_ADVICE,
      details
    )
  }
  return new EndpointFailure(`${url.host} answered ${status}`, adviceAfter(status, bytes, headers), details)
}

const PROMPT_ADVICE = 'Let the endpoint answer 2xx at once, before it does its work.'

const CREDENTIALS_ADVICE =
  'Check that the endpoint has the Signing Secret of the configuration, if it verifies signatures, and that the Endpoint ' +
  'Header is what it asks for, if it checks a fixed header.'

const adviceAfter = (status: number, bytes: number, headers: IncomingHttpHeaders): string => {
  switch (status) {
    case 401:
      return CREDENTIALS_ADVICE
    case 403:
      // https://developers.cloudflare.com/cloudflare-challenges/challenge-types/challenge-pages/detect-response/
      if (headers['cf-mitigated']) {
        return 'Cloudflare took the integration for a bad bot: add a rule there that lets requests to this path pass.'
      }
      return `${CREDENTIALS_ADVICE} If a filter turns bots away, such as “Ignore Bots” of n8n’s Webhook node, switch it off.`
    case 404:
    case 405:
      return 'Check the path of the Response Endpoint URL, and that the endpoint takes POST requests there.'
    case 413:
      return `Let the endpoint take larger bodies: this one has ${bytes} bytes.`
    case 429:
      return 'Let the endpoint take as many messages as the bot sends at a time.'
    default:
      return status >= 500
        ? 'See the endpoint’s own log for what has failed there.'
        : 'Let the endpoint answer POST requests with a 2xx status.'
  }
}

const secondsOf = (ms: number): number => Number((ms / 1000).toPrecision(2))

type TransportError = ConnectFailure | { code?: string; message: string }

/**
 * There was no answer, whatever the reason. Nothing of a query, a password or the message is in the words.
 *
 * @param limitMs the time that was over, if the error is that
 */
export const transportFailure = (
  url: URL,
  error: TransportError,
  progress: Progress,
  limitMs: number
): EndpointFailure => {
  const { host } = url
  const cause = error.code ?? error.message
  const isSent = progress === 'sent' || progress === 'answering'
  const timedOut = cause === TIMED_OUT
  const inTime = `in time, within ${secondsOf(limitMs)} s`
  const failure = (message: string, advice: string, details: Details = {}) =>
    new EndpointFailure(message, advice, {
      isTemporary: true,
      isReached: progress !== 'connecting',
      timedOut,
      ...details,
    })
  const MAY_HAVE_ARRIVED = { isTemporary: false, mayHaveArrived: true }

  if (cause === PRIVATE_ADDRESS) {
    return failure(
      `${host} is not a public address`,
      'Messages go to endpoints on the internet only: use an address that is reachable from there, such as a tunnel’s.',
      { isTemporary: false }
    )
  }
  if (timedOut && isSent) {
    return failure(`${host} took the message and did not answer ${inTime}`, PROMPT_ADVICE, MAY_HAVE_ARRIVED)
  }
  if (timedOut && progress === 'sending') {
    return failure(
      `${host} did not take the message whole ${inTime}`,
      'Let the endpoint read its requests to their end.'
    )
  }
  if (/^(CERT_|ERR_TLS_CERT|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|HOSTNAME_MISMATCH)/.test(cause)) {
    return failure(
      `${host} has a certificate that is not trusted (${cause})`,
      'Give the endpoint a certificate of a public authority, for its name, with all intermediate ones.'
    )
  }
  if (/^(EPROTO|ERR_SSL_)/.test(cause)) {
    return failure(
      `${host} does not speak TLS there (${cause})`,
      'Check the port, whether the Response Endpoint URL has to begin with http: or https:, and that no certificate is asked for.'
    )
  }
  if (cause.startsWith('HPE_')) {
    return failure(
      `${host} answered with what is not HTTP (${cause})`,
      'Check the port, and what listens there: headers are to be well-formed, and of 64 KB at the most.',
      isSent ? MAY_HAVE_ARRIVED : {}
    )
  }
  if (progress === 'connecting') {
    const attempts = error instanceof ConnectFailure ? error.attempts : []
    const causes = attempts.length > 0 ? ` at ${attempts.join(', ')}` : ` (${cause})`
    return failure(
      timedOut
        ? `${host} could not be reached ${inTime}${attempts.length > 0 ? `:${causes}` : ''}`
        : `${host} could not be reached${causes}`,
      `Check the address, and that the endpoint is up and reachable${PRIVATE_ADDRESSES_ALLOWED ? '' : ' from the internet'}.`
    )
  }
  if (progress === 'answering') {
    return failure(
      `${host} broke off its answer before the end of the head (${cause})`,
      'See whether the endpoint, or a proxy before it, fails or restarts.',
      MAY_HAVE_ARRIVED
    )
  }
  return failure(
    `${host} closed the connection without an answer (${cause})`,
    'See whether the endpoint, or a proxy before it, fails or restarts, and whether it asks for https:.'
  )
}
