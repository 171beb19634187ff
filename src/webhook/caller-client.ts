import { Client, isApiError, type ClientProps } from '@botpress/client'
import { retryAfter } from 'axios-retry'

const CALL_TIMEOUT_MS = 10_000

/** A call of the caller to Botpress that failed: with what Botpress answered, where it answered at all. */
export class BotpressFailure extends Error {
  constructor(
    /** Botpress's own words, or the network's; the caller's token is not in it. */
    readonly reason: string,
    readonly more: {
      status?: number
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

  /** Whether the same call may well succeed later. */
  get isTemporary(): boolean {
    const { status } = this.more
    return status === undefined || [429, 500, 502, 503, 504].includes(status)
  }
}

/**
 * A client of Botpress that acts as the caller of the webhook.
 *
 * @param token the caller's, never empty: the official client would take the integration's own from the environment
 * @returns a client whose errors hold a {@link BotpressFailure}, which `BotpressFailure.in` gets out
 */
export const callerClient = (
  { token, botId, integrationId }: Record<'token' | 'botId' | 'integrationId', string>,
  { timeoutMs = CALL_TIMEOUT_MS } = {}
) =>
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
  const answered = (response?.data as { message?: unknown } | undefined)?.message
  const reason = typeof answered === 'string' && answered !== '' ? answered : code ? `${message} (${code})` : message
  throw new BotpressFailure(reason.replaceAll(token, '[token]'), {
    status: response?.status,
    retryAfter: response?.headers['retry-after'],
    retryAfterMs: retryAfter(error),
    timedOut: code === 'ECONNABORTED' || code === 'ETIMEDOUT',
  })
}
