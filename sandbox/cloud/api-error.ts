import { state } from '@botpress/api'
import { randomUUID } from 'node:crypto'

export type ApiErrorType = (typeof state.errors)[number]['type']

/** An error as Botpress answers it: its `type` decides the HTTP status. */
export class ApiError extends Error {
  readonly status: number

  constructor(
    readonly type: ApiErrorType,
    message: string
  ) {
    super(message)
    this.status = state.errors.find((error) => error.type === type)!.status
  }

  toJSON() {
    return { id: `err_${randomUUID()}`, code: this.status, type: this.type, message: this.message }
  }
}
