import type { FastifyInstance, FastifyRequest } from 'fastify'
import { randomUUID } from 'node:crypto'
import { statuses } from './botpress-api.json'

export type ApiErrorType = keyof typeof statuses

/** An error as Botpress answers it: its `type` decides the HTTP status. */
export class ApiError extends Error {
  readonly status: number

  constructor(
    readonly type: ApiErrorType,
    message: string
  ) {
    super(message)
    this.status = statuses[type]
  }

  toJSON() {
    return { id: `err_${randomUUID()}`, code: this.status, type: this.type, message: this.message }
  }
}

/** The vendor's error bodies, for whatever goes wrong on this server. */
export const answerApiErrors = (server: FastifyInstance, notFound: (request: FastifyRequest) => ApiError) => {
  server.setErrorHandler<Error & { statusCode?: number }>(async (error, _request, reply) => {
    const apiError = apiErrorOf(error)
    return reply.code(apiError.status).send(apiError.toJSON())
  })
  server.setNotFoundHandler(async (request) => {
    throw notFound(request)
  })
}

const apiErrorOf = (error: Error & { statusCode?: number }): ApiError => {
  if (error instanceof ApiError) return error
  const { statusCode = 500, message } = error
  if (statusCode === 413) return new ApiError('PayloadTooLarge', message)
  return new ApiError(statusCode < 500 ? 'InvalidPayload' : 'Internal', message)
}
