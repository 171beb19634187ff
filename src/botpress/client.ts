import { Client, type ClientProps } from '@botpress/client'
import { retryAfter } from 'axios-retry'
import { BotpressFailure } from './botpress-failure'
import { Remembered } from './remembered'

const CALL_TIMEOUT_MS = 10_000

/** Who has sent a request, and to which bot. */
export type Caller = {
  /** Acts with the caller's token. Its errors hold a {@link BotpressFailure}, which `BotpressFailure.in` gets out. */
  client: Client
  botId: string
  integrationId: string
}

type Credentials = { token: string; botId: string; integrationId: string }

/** Kept so that their connections are. */
const clients = new Remembered<Client>({ maxSize: 100 })

/**
 * @param token the caller's, never empty: the official client would take the integration's own from the environment
 */
export const callerOf = ({ token, botId, integrationId }: Credentials): Caller => {
  const key = [token, botId, integrationId]
  const client = clients.get(key) ?? clients.set(key, createClient({ token, botId, integrationId }))
  return { client, botId, integrationId }
}

/** A client that acts as the caller, without retries of its own. */
export const createClient = (
  { token, botId, integrationId }: Credentials,
  { timeoutMs = CALL_TIMEOUT_MS } = {}
): Client =>
  new Client({
    token,
    botId,
    integrationId,
    timeout: timeoutMs,
    retry: { retries: 0, onMaxRetryTimesExceeded: (error) => throwFailure(error, token) },
  })

type RetryOptions = NonNullable<ClientProps['retry']>
type TransportError = Parameters<NonNullable<RetryOptions['onMaxRetryTimesExceeded']>>[0]

/** The client keeps no status of an answer that is not in the vendor's own form, and no header of any: both are taken here. */
const throwFailure = (error: TransportError, token: string): never => {
  const { response, code, message } = error
  const answered = response?.data as Partial<Record<'message' | 'type', unknown>> | undefined
  const reason =
    typeof answered?.message === 'string' && answered.message !== ''
      ? answered.message
      : code
        ? `${message} (${code})`
        : message
  throw new BotpressFailure(reason.replaceAll(token, '[token]'), {
    status: response?.status,
    type: typeof answered?.type === 'string' ? answered.type : undefined,
    retryAfter: response?.headers['retry-after'],
    retryAfterMs: retryAfter(error),
    timedOut: code === 'ECONNABORTED' || code === 'ETIMEDOUT',
  })
}
