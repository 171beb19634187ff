import { state } from '@botpress/api'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import qs from 'qs'
import { setTimeout as sleep } from 'node:timers/promises'
import { ApiError } from './api-error'
import { type Chat, CHAT_OPERATIONS, type ChatOperation } from './chat'

/** A request to the chat API, as it came in. */
export type ApiCall = {
  operation: ChatOperation
  headers: FastifyRequest['headers']
  /** The parameters of the path and the query, and the body. */
  input: Record<string, unknown>
  /** The same number for calls over the same connection. */
  connection: number
}

/** What goes wrong with a call. With only a delay, it is answered late. */
export type Fault = {
  delayMs?: number
  /** This answer, and nothing is written. */
  answer?: { status: number; headers?: Record<string, string>; body?: unknown }
  /** The connection is reset, before anything is written or after. */
  reset?: 'before write' | 'after write'
}

export type ChatApiProps = {
  /**
   * The chat that the headers of a call lead to.
   *
   * @throws ApiError Unauthorized or Forbidden
   */
  authorize: (headers: FastifyRequest['headers']) => Chat
  /** Sees each call before it is carried out, and may make it fail. */
  onApiCall?: (call: ApiCall) => Fault | void
}

/** Serves Botpress's chat API: each request is checked with the JSON schemas of the vendor's own description. */
export const serveChatApi = async (server: FastifyInstance, { authorize, onApiCall }: ChatApiProps) => {
  const admitted = new WeakMap<FastifyRequest, { chat: Chat; fault: Fault | void }>()

  for (const name of CHAT_OPERATIONS) {
    const operation = state.operations[name]
    server.route({
      method: operation.method.toUpperCase(),
      url: operation.path.replaceAll(/\{(\w+)\}/g, ':$1'),
      schema: schemaOf(operation),
      // Before the schemas: a caller that is not let in learns nothing else.
      preValidation: async (request, reply) => {
        const fault = onApiCall?.({
          operation: name,
          headers: request.headers,
          input: inputOf(request),
          connection: request.socket.remotePort!,
        })
        if (fault?.delayMs) await sleep(fault.delayMs, undefined, { ref: false })
        if (fault?.reset === 'before write') return reset(request, reply)
        if (fault?.answer) {
          const { status, headers = {}, body } = fault.answer
          return reply.code(status).headers(headers).send(body)
        }
        admitted.set(request, { chat: authorize(request.headers), fault })
      },
      handler: async (request, reply) => {
        const { chat, fault } = admitted.get(request)!
        // The schemas have made sure of the input's type.
        const output = chat.operations[name](inputOf(request) as never)
        if (fault?.reset === 'after write') return reset(request, reply)
        return reply.code(('status' in operation.response && operation.response.status) || 200).send(output)
      },
    })
  }
}

/** How the official client writes `tags: { id }` in a query: `tags.id=…`. */
export const parseQuery = (query: string) => qs.parse(query, { allowDots: true })

const inputOf = ({ params, query, body }: FastifyRequest) => Object.assign({}, params, query, body)

const reset = ({ raw }: FastifyRequest, reply: FastifyReply) => {
  raw.socket.resetAndDestroy()
  return reply.hijack()
}

type Operation = (typeof state.operations)[ChatOperation]

const schemaOf = ({ parameters, ...operation }: Operation) => {
  const named = Object.entries(parameters as Record<string, { in: string; schema?: object; type: string }>)
  const schemaOfThoseIn = (place: string) => ({
    type: 'object',
    properties: Object.fromEntries(
      named
        .filter(([, parameter]) => parameter.in === place)
        .map(([name, parameter]) => [name, parameterSchema(parameter)])
    ),
    additionalProperties: false,
  })
  return {
    params: schemaOfThoseIn('path'),
    querystring: schemaOfThoseIn('query'),
    ...('requestBody' in operation && { body: operation.requestBody.schema }),
  }
}

const parameterSchema = ({ schema, type }: { schema?: object; type: string }) =>
  schema ?? (type === 'string[]' ? { type: 'array', items: { type: 'string' } } : { type })

/** The vendor's error bodies, for whatever goes wrong on this server. */
export const answerApiErrors = (server: FastifyInstance) => {
  server.setErrorHandler<Error & { statusCode?: number }>(async (error, _request, reply) => {
    const apiError =
      error instanceof ApiError
        ? error
        : error.statusCode !== undefined && error.statusCode < 500
          ? new ApiError('InvalidPayload', error.message)
          : new ApiError('Internal', error.message)
    return reply.code(apiError.status).send(apiError.toJSON())
  })
  server.setNotFoundHandler(async ({ method, url }) => {
    throw new ApiError('ResourceNotFound', `There is no ${method} ${url}`)
  })
}
