import { isApiError } from '@botpress/client'

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
