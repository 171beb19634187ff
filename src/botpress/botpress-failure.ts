import { isApiError } from '@botpress/client'
import type { AxiosError } from 'axios'
import { retryAfterMs } from '../http/retry-after'

/** A call to Botpress that failed: with what Botpress answered, where it answered at all. */
export class BotpressFailure extends Error {
  constructor(
    /** Botpress's own words, or the network's; no token is in it. */
    readonly reason: string,
    readonly more: {
      status?: number
      /** The vendor's word for the sort of error. */
      type?: string
      /** How long Botpress asks to wait. */
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

  /** Why something failed, in words: Botpress's, if it is a failure of Botpress. */
  static reasonOf(thrown: unknown): string {
    return BotpressFailure.in(thrown)?.reason ?? String(thrown)
  }

  /** Whether something that the call names is not there. */
  get isMissingResource(): boolean {
    return this.more.status === 404 || this.more.type === 'ReferenceNotFound'
  }

  /** Whether the same call may well succeed later. */
  get isTemporary(): boolean {
    const { status } = this.more
    // 409 is a lock, or a write that came at the same time.
    return status === undefined || [408, 409, 429, 500, 502, 503, 504].includes(status)
  }
}

/**
 * What is behind an error of the client's transport. The client keeps no status of an answer that is not in the vendor's own
 * form, and no header of any: both are taken here.
 *
 * @param token the one that was sent: it is taken out of the words
 */
export const botpressFailureOf = (error: AxiosError, token: string | undefined): BotpressFailure => {
  const { response, code, message } = error
  const answered = response?.data as Partial<Record<'message' | 'type', unknown>> | undefined
  const reason =
    typeof answered?.message === 'string' && answered.message !== ''
      ? answered.message
      : code
        ? `${message} (${code})`
        : message
  return new BotpressFailure(token ? reason.replaceAll(token, '[token]') : reason, {
    status: response?.status,
    type: typeof answered?.type === 'string' ? answered.type : undefined,
    retryAfterMs: askedPauseMs(response),
    timedOut: code === 'ECONNABORTED' || code === 'ETIMEDOUT',
  })
}

/** A rate limit tells its end in headers of its own, in seconds; the vendor's own code reads them in this order. */
const askedPauseMs = (response: AxiosError['response']): number | undefined => {
  const { headers = {}, status } = response ?? {}
  const reset = status === 429 ? (headers['ratelimit-reset'] ?? headers['x-ratelimit-reset']) : undefined
  return retryAfterMs(reset) ?? retryAfterMs(headers['retry-after'])
}
