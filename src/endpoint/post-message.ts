import { axios as axiosModule } from '@botpress/client'
import axiosRetry, { exponentialDelay, retryAfter } from 'axios-retry'
import { RequestFilteringHttpAgent, RequestFilteringHttpsAgent } from 'request-filtering-agent'
import { name, version } from '../../package.json'
import type { Endpoint } from '../configuration'
import { discardBody } from './discard-body'
import { endpointFailure, isPrivateAddress } from './endpoint-failure'
import type { OutgoingMessage } from './outgoing-message'

// The client's own: another import of it would bundle a second copy.
const axios = axiosModule.default

declare module 'axios' {
  interface AxiosRequestConfig {
    /** Makes the headers that are fresh on each try. */
    headersOfTry?: () => Record<string, string>
    /** How long one try may last. */
    tryTimeoutMs?: number
  }
}

/** How hard to try. */
export type Patience = {
  retries: number
  tryTimeoutMs: number
  /** For all tries and the pauses between them. */
  timeoutMs: number
  /** The first pause is about twice as long, each further one twice as long as the one before. */
  pauseMs: number
}

/** For a message of the bot. */
export const DELIVERY: Patience = { retries: 3, tryTimeoutMs: 10_000, timeoutMs: 45_000, pauseMs: 500 }

/** For the test message of the registration. */
export const ONE_TRY: Patience = { ...DELIVERY, retries: 0 }

const MAX_RETRY_AFTER_MS = 10_000

const agentOptions = {
  keepAlive: true,
  allowPrivateIPAddress: process.env['ALLOW_PRIVATE_ENDPOINTS'] === 'true',
}

const client = axios.create({
  adapter: 'http',
  httpAgent: new RequestFilteringHttpAgent(agentOptions),
  httpsAgent: new RequestFilteringHttpsAgent(agentOptions),
  // A proxy of the environment would connect to addresses that the agents refuse.
  proxy: false,
  // A redirected POST becomes a GET and loses the message.
  maxRedirects: 0,
  responseType: 'stream',
  headers: { 'content-type': 'application/json', 'user-agent': `${name}/${version}` },
})

client.interceptors.request.use((config) => {
  config.headers.set(config.headersOfTry?.() ?? {})
  // axios-retry takes from `timeout` what the tries and the pauses have used.
  const timeoutMs = Math.min(config.tryTimeoutMs ?? Infinity, config.timeout ?? Infinity)
  config.signal = AbortSignal.timeout(Math.ceil(timeoutMs))
  return config
})

axiosRetry(client, {
  retryCondition: (error) => {
    if (!error.response) return !isPrivateAddress(error)
    const { status } = error.response
    return status === 408 || status === 425 || status === 429 || status >= 500
  },
})

/**
 * Posts a message to the endpoint until it is taken: any 2xx is success, and the answer's body is not kept. Each try
 * carries the same bytes and the same `webhook-id`, with a timestamp and a signature of its own, as
 * https://www.standardwebhooks.com asks.
 *
 * @throws EndpointFailure when no try has succeeded, or one has failed for good
 */
export const postMessage = async (
  { url, webhook }: Endpoint,
  message: OutgoingMessage,
  { retries, tryTimeoutMs, timeoutMs, pauseMs }: Patience
): Promise<void> => {
  const body = JSON.stringify(message)
  const id = message.botpressMessageId
  let tries = 1
  try {
    const { data } = await client.post(url.href, Buffer.from(body), {
      timeout: timeoutMs,
      tryTimeoutMs,
      headersOfTry: () => {
        const now = new Date()
        return {
          'webhook-id': id,
          'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
          ...(webhook && { 'webhook-signature': webhook.sign(id, now, body) }),
        }
      },
      'axios-retry': {
        retries,
        retryDelay: (count, error) =>
          Math.min(retryAfter(error), MAX_RETRY_AFTER_MS) || exponentialDelay(count, error, pauseMs),
        onRetry: (_count, { response }, config) => {
          tries++
          if (response) discardBody(response.data as never)
          // The signal of the try that is over would cut the pause short.
          delete config.signal
        },
      },
    })
    discardBody(data)
  } catch (thrown) {
    if (!axios.isAxiosError(thrown)) throw thrown
    if (thrown.response) discardBody(thrown.response.data)
    throw endpointFailure(url, thrown, tries)
  }
}
