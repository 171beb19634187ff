import axios, { type AxiosError } from 'axios'
import http from 'node:http'
import https from 'node:https'
import { name, version } from '../../package.json'
import { discardBody } from './discard-body'
import type { OutgoingMessage } from './outgoing-message'

const TRY_TIMEOUT_MS = 10_000

/** The endpoint did not take a message. The `message` is a clause without an end: it names the host and the reason. */
export class EndpointFailure extends Error {
  constructor(
    message: string,
    /** What the owner of the endpoint can do about it, as a sentence. */
    readonly advice: string
  ) {
    super(message)
  }
}

const client = axios.create({
  adapter: 'http',
  httpAgent: new http.Agent({ keepAlive: true }),
  httpsAgent: new https.Agent({ keepAlive: true }),
  // A redirected POST becomes a GET and loses the message.
  maxRedirects: 0,
  proxy: false,
  responseType: 'stream',
  headers: { 'content-type': 'application/json', 'user-agent': `${name}/${version}` },
})

/**
 * Posts one message to the endpoint, with the headers of https://www.standardwebhooks.com.
 * Any 2xx is success; the answer's body is not kept.
 *
 * @throws EndpointFailure when the endpoint cannot be reached, takes too long or answers anything else
 */
export const postMessage = async (
  url: URL,
  message: OutgoingMessage,
  { timeoutMs = TRY_TIMEOUT_MS } = {}
): Promise<void> => {
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    const { data } = await client.post(url.href, Buffer.from(JSON.stringify(message)), {
      signal,
      headers: {
        'webhook-id': message.botpressMessageId,
        'webhook-timestamp': String(Math.floor(Date.now() / 1000)),
      },
    })
    discardBody(data)
  } catch (thrown) {
    if (!axios.isAxiosError(thrown)) throw thrown
    if (thrown.response) discardBody(thrown.response.data)
    throw signal.aborted ? tooSlow(url, timeoutMs) : failureOf(url, thrown)
  }
}

const tooSlow = ({ host }: URL, timeoutMs: number): EndpointFailure =>
  new EndpointFailure(
    `${host} did not answer within ${timeoutMs / 1000} s`,
    'Let the endpoint answer 2xx first, and do its work after.'
  )

const failureOf = (url: URL, { response, code, message }: AxiosError): EndpointFailure => {
  if (!response) {
    return new EndpointFailure(
      `${url.host} could not be reached (${code ?? message})`,
      'Check the address, and that the endpoint is up and reachable from the internet.'
    )
  }
  if (response.status >= 300 && response.status < 400) {
    const location = redirectTarget(url, response.headers['location'])
    return new EndpointFailure(
      `${url.host} answered ${response.status}, a redirect to ${location}, and redirects are not followed`,
      'Set the Response Endpoint URL to the address that takes the messages itself.'
    )
  }
  return new EndpointFailure(
    `${url.host} answered ${response.status}`,
    'Let the endpoint answer POST requests with a 2xx status.'
  )
}

/** Without the query, which may hold what is not for a log. */
const redirectTarget = (from: URL, location: unknown): string => {
  if (typeof location !== 'string' || !URL.canParse(location, from.href)) return 'nowhere'
  const { origin, pathname } = new URL(location, from)
  return origin + pathname
}
