import { RuntimeError } from '@botpress/sdk'
import { STATUS_CODES } from 'node:http'
import { BotpressFailure } from '../botpress/botpress-failure'
import type { Caller } from '../botpress/caller'

/** One wrong field: where it is, as in `payload.text`, and what it must be. */
export type FieldError = { path: string; message: string }

/** An error as an answer: RFC 9457, Problem Details for HTTP APIs. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly detail: string,
    private readonly more: { errors?: FieldError[]; headers?: Record<string, string> } = {}
  ) {
    super(detail)
  }

  toResponse() {
    const { status, detail } = this
    const { errors, headers } = this.more
    return {
      status,
      headers: { ...headers, 'content-type': 'application/problem+json' },
      body: JSON.stringify({ title: STATUS_CODES[status], status, detail, errors }),
    }
  }
}

/**
 * The answer to a request that failed.
 *
 * @param tokenOwner of the caller; missing if it was not let in
 */
export const problemOf = (thrown: unknown, tokenOwner?: Caller['tokenOwner']): Problem => {
  if (thrown instanceof Problem) return thrown
  // The configuration is invalid: it has changed since the registration.
  if (thrown instanceof RuntimeError) return new Problem(409, thrown.message)
  const failure = BotpressFailure.in(thrown)
  if (!failure) {
    console.error(thrown instanceof Error ? thrown.stack : thrown)
    return new Problem(502, `The integration failed unexpectedly. ${SEND_AGAIN}`)
  }
  const { reason, isTemporary } = failure
  const { status, retryAfterMs, timedOut } = failure.more
  const headers =
    retryAfterMs === undefined
      ? undefined
      : { 'retry-after': String(Math.min(Math.ceil(retryAfterMs / 1000), DAY_SECONDS)) }
  if (status === 401)
    return tokenOwner === 'integration'
      ? new Problem(502, `Botpress refused the integration’s own token. ${SEND_AGAIN}`)
      : unauthorized('Botpress does not know the token.')
  if (status && [400, 402, 403, 413, 429].includes(status))
    return new Problem(status, `Botpress refused the request: ${reason}`, { headers })
  if (timedOut || status === 504) return new Problem(504, `Botpress took too long. ${SEND_AGAIN}`, { headers })
  if (isTemporary || status! >= 500) return new Problem(502, `Botpress failed: ${reason}. ${SEND_AGAIN}`, { headers })
  return new Problem(502, `Botpress answered ${status}: ${reason}. The same request would fail in the same way.`)
}

/** Nobody waits longer, and what Botpress says may not be in seconds at all. */
const DAY_SECONDS = 24 * 60 * 60

const SEND_AGAIN = 'It is safe to send the same request again; a message with the same messageId.'

/** @param reason as a sentence. What to send instead is added to it. */
export const unauthorized = (reason: string): Problem =>
  new Problem(
    401,
    `${reason} Send the Access Key of the integration’s configuration, as "Authorization: Bearer {key}" or ` +
      '"x-bp-secret: {key}", or a Botpress Personal Access Token, as "Authorization: Bearer {token}".',
    { headers: { 'www-authenticate': 'Bearer' } }
  )
