import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import qs from 'qs'
import { setTimeout as sleep } from 'node:timers/promises'
import { ApiError } from '../api-error'
import { operations } from '../botpress-api.json'
import type { Chat, ChatOperation } from './chat'

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

export type RateLimits = {
  /** Incoming messages a minute, of each bot. The cloud has 600. */
  messagesPerMinute?: number
  /** Requests a second, of all bots together. The cloud has 100. */
  requestsPerSecond?: number
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
  /** Default: none. */
  rateLimits?: RateLimits
  /** How often all was forgotten: what came in before is not carried out. */
  resets: () => number
}

const MAX_REQUEST_BYTES = 1024 * 1024

const MESSAGE_CREATION = new Set<ChatOperation>(['createMessage', 'getOrCreateMessage'])

/**
 * Serves Botpress's chat API: each request is checked with the JSON schemas of the vendor's own description, of which
 * `npm run build:botpress-api` keeps what is needed.
 */
export const serveChatApi = async (
  server: FastifyInstance,
  { authorize, onApiCall, rateLimits, resets }: ChatApiProps
) => {
  await server.register(rateLimit, { global: false })
  const checkRates = ratesOf(server, rateLimits)
  const admitted = new WeakMap<FastifyRequest, { chat: Chat; fault: Fault | void }>()

  for (const [name, operation] of Object.entries(operations) as [ChatOperation, Operation][]) {
    server.route({
      method: operation.method.toUpperCase(),
      url: operation.path.replaceAll(/\{(\w+)\}/g, ':$1'),
      schema: schemas[name],
      bodyLimit: MAX_REQUEST_BYTES,
      // Before the schemas: a caller that is not let in learns nothing else.
      preValidation: async (request, reply) => {
        const fault = onApiCall?.({
          operation: name,
          headers: request.headers,
          input: inputOf(request),
          connection: request.socket.remotePort!,
        })
        const before = resets()
        if (fault?.delayMs) await sleep(fault.delayMs, undefined, { ref: false })
        if (fault?.reset === 'before write' || resets() > before) return reset(request, reply)
        if (fault?.answer) {
          const { status, headers = {}, body } = fault.answer
          return reply.code(status).headers(headers).send(body)
        }
        const chat = authorize(request.headers)
        await checkRates(name, request, reply)
        admitted.set(request, { chat, fault })
      },
      handler: async (request, reply) => {
        const { chat, fault } = admitted.get(request)!
        // The schemas have made sure of the input's type.
        const output = chat.operations[name](inputOf(request) as never)
        if (fault?.reset === 'after write') return reset(request, reply)
        return reply.code(operation.status).send(output)
      },
    })
  }
}

/** Refuses the calls that are too many, with the headers that the vendor's own code reads. */
const ratesOf = (server: FastifyInstance, { messagesPerMinute, requestsPerSecond }: RateLimits = {}) => {
  const limiter = (timeWindow: number, keyGenerator: (request: FastifyRequest) => string, max?: number) =>
    max === undefined ? undefined : server.createRateLimit({ max, timeWindow, keyGenerator })
  const requests = limiter(1000, () => 'workspace', requestsPerSecond)
  const messages = limiter(60_000, ({ headers }) => String(headers['x-bot-id']), messagesPerMinute)

  return async (name: ChatOperation, request: FastifyRequest, reply: FastifyReply) => {
    for (const check of [requests, MESSAGE_CREATION.has(name) ? messages : undefined]) {
      const rate = await check?.(request)
      if (!rate || rate.isAllowed) continue
      const { max, remaining, ttlInSeconds, isExceeded } = rate
      reply.headers({ 'ratelimit-limit': max, 'ratelimit-remaining': remaining, 'ratelimit-reset': ttlInSeconds })
      if (isExceeded) throw new ApiError('RateLimited', `Too many requests: try again in ${ttlInSeconds} s`)
    }
  }
}

/** How the official client writes `tags: { id }` in a query: `tags.id=…`. */
export const parseQuery = (query: string) => qs.parse(query, { allowDots: true })

const inputOf = ({ params, query, body }: FastifyRequest) => Object.assign({}, params, query, body)

const reset = ({ raw }: FastifyRequest, reply: FastifyReply) => {
  raw.socket.resetAndDestroy()
  return reply.hijack()
}

type Parameter = { in: string; schema?: object; type: string }

type Operation = {
  method: string
  path: string
  parameters: Record<string, Parameter>
  status: number
  body?: object
}

const schemaOf = ({ parameters, body }: Operation) => {
  const schemaOfThoseIn = (place: string) => ({
    type: 'object',
    properties: Object.fromEntries(
      Object.entries(parameters)
        .filter(([, parameter]) => parameter.in === place)
        .map(([name, parameter]) => [name, parameterSchema(parameter)])
    ),
    additionalProperties: false,
  })
  return { params: schemaOfThoseIn('path'), querystring: schemaOfThoseIn('query'), ...(body && { body }) }
}

const parameterSchema = ({ schema, type }: Parameter) =>
  schema ?? (type === 'string[]' ? { type: 'array', items: { type: 'string' } } : { type })

const schemas = Object.fromEntries(
  Object.entries(operations as Record<string, Operation>).map(([name, operation]) => [name, schemaOf(operation)])
)
