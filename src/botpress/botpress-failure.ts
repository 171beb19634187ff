import { isApiError } from '@botpress/client'
import { retryAfterMs } from '../http/retry-after'

/** A call to Botpress that failed, with what Botpress answered, if it did. */
export class BotpressFailure extends Error {
  constructor(
    /** In the words of Botpress or the network, without the token. */
    readonly reason: string,
    readonly more: {
      status?: number
      /** Botpress's type of error, such as `ReferenceNotFound`. */
      type?: string
      /** How long Botpress asks to wait. */
      retryAfterMs?: number
      timedOut?: boolean
      /** There was no connection. */
      isUnsent?: boolean
    } = {}
  ) {
    super(reason)
  }

  /** The failure in what a client threw; `undefined` for any other error. */
  static in(thrown: unknown): BotpressFailure | undefined {
    if (thrown instanceof BotpressFailure) return thrown
    return isApiError(thrown) && thrown.error instanceof BotpressFailure ? thrown.error : undefined
  }

  /** Why something failed, in words. */
  static reasonOf(thrown: unknown): string {
    return BotpressFailure.in(thrown)?.reason ?? String(thrown)
  }

  /** Whether something that the call names does not exist. */
  get isMissingResource(): boolean {
    return this.more.status === 404 || this.more.type === 'ReferenceNotFound'
  }

  /** Whether the same call may succeed later. */
  get isTemporary(): boolean {
    const { status } = this.more
    // 409 is a lock, or a write at the same time.
    return status === undefined || [408, 409, 429, 500, 502, 503, 504].includes(status)
  }

  /** Whether the call may have been carried out all the same. */
  get leavesOpen(): boolean {
    const { status, isUnsent } = this.more
    return status === undefined ? !isUnsent : status >= 500 || status === 408 || status === 409
  }
}

/** For `catch`: gives `undefined` if something that the call names does not exist, and throws every other failure on. */
export const unlessMissing = (thrown: unknown): undefined => {
  if (!BotpressFailure.in(thrown)?.isMissingResource) throw thrown
}

/** As axios has it, and the client's own HTTP since version 2. */
type RequestError = {
  message: string
  /** There was no connection. Only this integration's transport tells it. */
  isUnsent?: boolean
  code?: string
  response?: { status: number; data: unknown; headers: Record<string, unknown> }
}

/**
 * Reads an error of the client's HTTP. The client itself drops the headers, and the status of an answer that is not in
 * Botpress's own form.
 *
 * @param token what was sent: it is taken out of the words
 */
export const botpressFailureOf = (error: RequestError, token: string | undefined): BotpressFailure => {
  const { response, code, message, isUnsent } = error
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
    isUnsent,
  })
}

/** A rate limit tells its end in headers of its own, in seconds. Botpress's own code reads them in this order. */
const askedPauseMs = (response: RequestError['response']): number | undefined => {
  const { headers = {}, status } = response ?? {}
  const reset = status === 429 ? (headers['ratelimit-reset'] ?? headers['x-ratelimit-reset']) : undefined
  return retryAfterMs(reset) ?? retryAfterMs(headers['retry-after'])
}
