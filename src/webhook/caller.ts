import { Client, isApiError, type ClientProps } from '@botpress/client'
import { retryAfter } from 'axios-retry'
import { Remembered } from './remembered'

const CALL_TIMEOUT_MS = 10_000

/** A call of the caller to Botpress that failed: with what Botpress answered, where it answered at all. */
export class BotpressFailure extends Error {
  constructor(
    /** Botpress's own words, or the network's; the caller's token is not in it. */
    readonly reason: string,
    readonly more: {
      status?: number
      /** The vendor's word for the sort of error. */
      type?: string
      /** The answer's header of that name. */
      retryAfter?: string
      /** The same, as the time from then. */
      retryAfterMs?: number
      timedOut?: boolean
    } = {}
  ) {
    super(reason)
  }

  /** The failure in what the client has thrown; `undefined` where something else went wrong. */
  static in(thrown: unknown): BotpressFailure | undefined {
    if (thrown instanceof BotpressFailure) return thrown
    return isApiError(thrown) && thrown.error instanceof BotpressFailure ? thrown.error : undefined
  }

  /** Whether something that the call names is not there. */
  get isMissingResource(): boolean {
    return this.more.status === 404 || this.more.type === 'ReferenceNotFound'
  }

  /** Whether the same call may well succeed later. */
  get isTemporary(): boolean {
    const { status } = this.more
    return status === undefined || [429, 500, 502, 503, 504].includes(status)
  }
}

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
