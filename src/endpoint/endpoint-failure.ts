import type { IncomingHttpHeaders } from 'node:http'
import { retryAfterMs } from '../retry-after'
import { PRIVATE_ADDRESSES_ALLOWED, PrivateAddressError } from './public-addresses'
import { targetInWords } from './redirect'

/** How far a request to the endpoint has come. */
export type Progress = 'connecting' | 'sending' | 'sent'

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

/** So late, a 5xx is a gateway's that gave up on a backend which still works. */
const LATE_MS = 10_000

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
  // 504 and Cloudflare's 524 say that a gateway has waited in vain.
  const mayHaveArrived = status === 504 || status === 524 || (isServerError(status) && waitedMs >= LATE_MS)
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
    return new EndpointFailure(
      `${url.host} answered ${status} after ${secondsOf(waitedMs)} s, which a gateway does while the endpoint still works`,
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

type TransportError = { code?: string; message: string }

/** There was no answer, whatever the reason. Nothing of a query, a password or the message is in the words. */
export const transportFailure = (
  url: URL,
  error: TransportError,
  { progress, timedOutMs, addresses }: { progress: Progress; timedOutMs?: number; addresses: string[] }
): EndpointFailure => {
  const { host } = url
  const cause = error.code ?? error.message
  if (error instanceof PrivateAddressError) {
    return new EndpointFailure(
      `${host} is not a public address`,
      'Messages go to endpoints on the internet only: use an address that is reachable from there, such as a tunnel’s.'
    )
  }
  const timedOut = timedOutMs !== undefined
  const temporary = (message: string, advice: string) =>
    new EndpointFailure(message, advice, { isTemporary: true, isReached: progress !== 'connecting', timedOut })
  if (timedOutMs !== undefined && progress === 'sent') {
    return new EndpointFailure(
      `${host} took the message and did not answer in time, within ${secondsOf(timedOutMs)} s`,
      PROMPT_ADVICE,
      { mayHaveArrived: true, timedOut }
    )
  }
  if (timedOutMs !== undefined && progress === 'sending') {
    return temporary(
      `${host} did not take the message whole in time, within ${secondsOf(timedOutMs)} s`,
      'Let the endpoint read its requests to their end.'
    )
  }
  if (/^(CERT_|ERR_TLS_CERT|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|HOSTNAME_MISMATCH)/.test(cause)) {
    return temporary(
      `${host} has a certificate that is not trusted (${cause})`,
      'Give the endpoint a certificate of a public authority, for its name, with all intermediate ones.'
    )
  }
  if (/^(EPROTO|ERR_SSL_)/.test(cause)) {
    return temporary(
      `${host} does not speak TLS there (${cause})`,
      'Check the port, and whether the Response Endpoint URL has to begin with http: or https:.'
    )
  }
  if (cause.startsWith('HPE_')) {
    return new EndpointFailure(
      `${host} answered with what is not HTTP (${cause})`,
      'Check the port, and what listens there: headers are to be well-formed, and of 64 KB at the most.',
      { isReached: true, mayHaveArrived: progress === 'sent', isTemporary: progress !== 'sent' }
    )
  }
  if (progress === 'connecting') {
    const at = addresses.length > 0 ? ` at ${addresses.join(', ')}` : ''
    return temporary(
      timedOutMs === undefined
        ? `${host} could not be reached${at} (${cause})`
        : `${host} could not be reached${at} in time, within ${secondsOf(timedOutMs)} s`,
      `Check the address, and that the endpoint is up and reachable${PRIVATE_ADDRESSES_ALLOWED ? '' : ' from the internet'}.`
    )
  }
  return temporary(
    `${host} closed the connection without an answer (${cause})`,
    'See whether the endpoint, or a proxy before it, fails or restarts, and whether it asks for https:.'
  )
}
