import type { IncomingHttpHeaders } from 'node:http'
import { retryAfterMs } from '../retry-after'
import { isPrivateAddress, PRIVATE_ADDRESSES_ALLOWED } from './public-agents'

/** How far a request to the endpoint has come. */
export type Progress = 'connecting' | 'sending' | 'sent'

type Details = {
  /** What the endpoint has answered, where it has. */
  status?: number
  isRedirect?: boolean
  /** A connection was made. */
  isReached?: boolean
  /** Whether the same message may well be taken later. */
  isTemporary?: boolean
  /** How long the endpoint asks to wait. */
  retryAfterMs?: number
  /** It was sent whole, and not answered in time. */
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

/**
 * The endpoint has answered, but not with 2xx. Nothing of a query or a password is in the words.
 *
 * @param secret was sent with the message, and is not in the words either
 */
export const answerFailure = (
  url: URL,
  { status, headers, bytes, secret }: { status: number; headers: IncomingHttpHeaders; bytes: number; secret?: string }
): EndpointFailure => {
  const isTemporary = status === 408 || status === 425 || status === 429 || (status >= 500 && status < 600)
  const details = { status, isTemporary, isReached: true, retryAfterMs: retryAfterMs(headers['retry-after']) }
  const target = redirectTarget(url, { status, location: headers['location'], secret })
  if (target) {
    return new EndpointFailure(
      `${url.host} answered ${status}, a redirect to ${target}, and redirects are not followed`,
      'Set the Response Endpoint URL to the address that takes the messages itself.',
      { ...details, isRedirect: true }
    )
  }
  return new EndpointFailure(`${url.host} answered ${status}`, adviceAfter(status, bytes, headers), details)
}

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

/** In characters. */
const MAX_TARGET_LENGTH = 300

/** Where the answer leads, without a query or a password; `undefined` where it is no redirect. */
export const redirectTarget = (
  url: URL,
  { status, location, secret = '' }: { status: number; location?: string; secret?: string }
): string | undefined => {
  if (![301, 302, 303, 307, 308].includes(status) || location === undefined) return undefined
  if (!URL.canParse(location, url.href)) return 'what is no URL'
  const { origin, pathname } = new URL(location, url)
  if (origin === 'null') return 'what is no http URL'
  // An endpoint may well echo what it was sent.
  const isEchoed = secret
    .split(' ')
    .some((word) => word !== '' && [word, encodeURIComponent(word)].some((written) => pathname.includes(written)))
  return isEchoed ? origin : (origin + pathname).slice(0, MAX_TARGET_LENGTH)
}

const secondsOf = (ms: number): number => Number((ms / 1000).toPrecision(2))

type TransportError = { code?: string; message: string }

/** There was no answer, whatever the reason. Nothing of a query, a password or the message is in the words. */
export const transportFailure = (
  url: URL,
  error: TransportError,
  { progress, timedOutMs }: { progress: Progress; timedOutMs?: number }
): EndpointFailure => {
  const { host } = url
  const cause = error.code ?? error.message
  if (isPrivateAddress(error)) {
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
      'Let the endpoint answer 2xx at once, before it does its work.',
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
    return temporary(`${host} answered with what is not HTTP (${cause})`, 'Check the port, and what listens there.')
  }
  if (progress === 'connecting') {
    return temporary(
      timedOutMs === undefined
        ? `${host} could not be reached (${cause})`
        : `${host} could not be reached in time, within ${secondsOf(timedOutMs)} s`,
      `Check the address, and that the endpoint is up and reachable${PRIVATE_ADDRESSES_ALLOWED ? '' : ' from the internet'}.`
    )
  }
  return temporary(
    `${host} closed the connection without an answer (${cause})`,
    'See whether the endpoint, or a proxy before it, fails or restarts, and whether it asks for https:.'
  )
}
