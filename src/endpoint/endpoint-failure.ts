import type { IncomingHttpHeaders } from 'node:http'
import { retryAfterMs } from '../http/retry-after'
import { LATE_ANSWER_MS } from '../time-limits'
import { ConnectFailure, PRIVATE_ADDRESS, TIMED_OUT } from './connect'
import { PRIVATE_ADDRESSES_ALLOWED } from './public-addresses'
import { targetInWords } from './redirect'

/** How far a request to the endpoint has come; `answering`: an answer has begun, but its head is not complete. */
export type Progress = 'connecting' | 'sending' | 'sent' | 'answering' | 'answered'

type Details = {
  /** Of the answer, if there was one. */
  status?: number
  /** A connection was made. */
  isReached?: boolean
  /** Another try at once may succeed. (Redelivery tries all marked messages, whatever this says.) */
  isTemporary?: boolean
  /** How long the endpoint asks to wait. */
  retryAfterMs?: number
  /** It was sent whole, and the answer does not tell whether it was taken. */
  mayHaveArrived?: boolean
  timedOut?: boolean
}

/** The endpoint did not take a message. The `message` names the host and the reason, and has no full stop. */
export class EndpointFailure extends Error {
  /** How many there were. */
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

const isServerError = (status: number): boolean => status >= 500 && status <= 599

/**
 * The endpoint answered, but did not take the message. No query, password or secret is in the words.
 *
 * @param answer with the time from the end of the request to its head
 * @param bytes of the message's body
 * @param secret was sent with the message
 */
export const answerFailure = (
  url: URL,
  answer: { status: number; headers: IncomingHttpHeaders; waitedMs: number },
  { bytes, secret }: { bytes: number; secret?: string }
): EndpointFailure => {
  const { status, headers, waitedMs } = answer
  const isLate = isServerError(status) && waitedMs >= LATE_ANSWER_MS
  // With 504, and Cloudflare's 524, a gateway says that it got no answer.
  const mayHaveArrived = isLate || status === 504 || status === 524
  const failure = (message: string, advice: string) =>
    new EndpointFailure(`${url.host} answered ${status}${message}`, advice, {
      status,
      mayHaveArrived,
      isTemporary: !mayHaveArrived && ([408, 425, 429].includes(status) || isServerError(status)),
      isReached: true,
      retryAfterMs: retryAfterMs(headers['retry-after']),
    })
  const target = targetInWords(url, answer, secret)
  if (target) {
    return failure(
      `, a redirect to ${target}, which is not followed`,
      'Set the Response Endpoint URL to the address that takes the messages itself.'
    )
  }
  if (mayHaveArrived) {
    const after = isLate ? ` after ${secondsOf(waitedMs)} s` : ''
    return failure(`${after}, which a gateway does while the endpoint still works`, PROMPT_ADVICE)
  }
  return failure('', adviceAfter(status, bytes, headers))
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
        ? 'See the endpoint’s own log for what failed there.'
        : 'Let the endpoint answer POST requests with a 2xx status.'
  }
}

const secondsOf = (ms: number): number => Number((ms / 1000).toPrecision(2))

const CERTIFICATE_ERROR = /^(CERT_|ERR_TLS_CERT|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|HOSTNAME_MISMATCH)/
const TLS_ERROR = /^(EPROTO|ERR_SSL_)/

/**
 * There was no answer. No query, password or content of the message is in the words.
 *
 * @param limitMs the limit that was reached, if it timed out
 */
export const transportFailure = (
  { host }: URL,
  error: ConnectFailure | { code?: string; message: string },
  progress: Progress,
  limitMs: number
): EndpointFailure => {
  const cause = error.code ?? error.message
  const isSent = progress === 'sent' || progress === 'answering'
  const timedOut = cause === TIMED_OUT
  const inTime = `in time, within ${secondsOf(limitMs)} s`
  const failure = (message: string, advice: string, details: Details = {}) =>
    new EndpointFailure(`${host} ${message}`, advice, {
      isTemporary: !details.mayHaveArrived,
      isReached: progress !== 'connecting',
      timedOut,
      ...details,
    })

  if (cause === PRIVATE_ADDRESS) {
    const advice =
      'Messages go to endpoints on the internet only: use an address that is reachable from there, such as a tunnel’s.'
    return failure('is not a public address', advice, { isTemporary: false })
  }
  if (timedOut && isSent) {
    return failure(`took the message and did not answer ${inTime}`, PROMPT_ADVICE, { mayHaveArrived: true })
  }
  if (timedOut && progress === 'sending') {
    return failure(`did not take the whole message ${inTime}`, 'Let the endpoint read its requests to their end.')
  }
  if (CERTIFICATE_ERROR.test(cause)) {
    const advice =
      'Give the endpoint a certificate of a public authority, for its name, with all intermediate certificates.'
    return failure(`has a certificate that is not trusted (${cause})`, advice)
  }
  if (TLS_ERROR.test(cause)) {
    return failure(
      `does not speak TLS there (${cause})`,
      'Check the port, whether the Response Endpoint URL must begin with http: or https:, and that no client certificate is asked for.'
    )
  }
  if (cause.startsWith('HPE_')) {
    const advice = 'Check the port and what listens there. Headers must be well-formed, and at most 64 KB long.'
    return failure(`sent an answer that is not HTTP (${cause})`, advice, { mayHaveArrived: isSent })
  }
  if (progress === 'connecting') {
    const attempts = error instanceof ConnectFailure ? error.attempts : []
    const causes = attempts.length > 0 ? ` at ${attempts.join(', ')}` : ` (${cause})`
    return failure(
      timedOut
        ? `could not be reached ${inTime}${attempts.length > 0 ? `:${causes}` : ''}`
        : `could not be reached${causes}`,
      `Check the address, and that the endpoint is up and reachable${PRIVATE_ADDRESSES_ALLOWED ? '' : ' from the internet'}.`
    )
  }
  const advice = 'Check whether the endpoint, or a proxy before it, fails or restarts'
  return progress === 'answering'
    ? failure(`broke off its answer before the end of the head (${cause})`, `${advice}.`, { mayHaveArrived: true })
    : failure(`closed the connection without an answer (${cause})`, `${advice}, and whether it asks for https:.`)
}
