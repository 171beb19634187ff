import { STATUS_CODES } from 'node:http'

/** One field at fault: where it is, as in `payload.text`, and what it must be. */
export type FieldError = { path: string; message: string }

/** An answer with an error in it, after RFC 9457, Problem Details for HTTP APIs. */
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
