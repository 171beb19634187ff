import type { Message } from '@botpress/client'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { EventEmitter } from 'node:events'

/** One request and its answer, between two of those who take part. */
export type Exchange = {
  id: string
  /** When the request began, in milliseconds since 1970. */
  at: number
  from: 'backend' | 'integration'
  to: 'webhook' | 'Botpress' | 'endpoint'
  method: string
  url: string
  requestHeaders: Record<string, unknown>
  requestBody?: string
  /** Absent while the answer is outstanding, and where there is none. */
  status?: number
  responseHeaders?: Record<string, unknown>
  responseBody?: string
  /** Why there is no answer. */
  error?: string
  durationMs?: number
}

/** A message of a conversation, and what became of it. */
export type SeenMessage = Pick<Message, 'id' | 'createdAt' | 'type' | 'payload' | 'direction'> & {
  /** External. */
  conversationId: string
  delivery?: { error?: string }
}

export type WireEvent = { kind: 'exchange'; exchange: Exchange } | { kind: 'message'; message: SeenMessage }

type WireEvents = { event: [WireEvent] }

const LIMIT = 500

/** What has gone over the wire, the last 500 exchanges and the last 500 messages, and what goes over it now. */
export class Wire extends EventEmitter<WireEvents> {
  private readonly exchanges = new Map<string, Exchange>()
  private readonly messages = new Map<string, SeenMessage>()

  constructor() {
    super()
    // One of each page that is open.
    this.setMaxListeners(0)
  }

  /** Each kind in the order of its beginning. */
  get events(): WireEvent[] {
    return [
      ...[...this.exchanges.values()].map((exchange) => ({ kind: 'exchange' as const, exchange })),
      ...[...this.messages.values()].map((message) => ({ kind: 'message' as const, message })),
    ]
  }

  /** Adds what is new, or puts it in the place of what it was before. */
  put(event: WireEvent): void {
    if (event.kind === 'exchange') keep(this.exchanges, event.exchange)
    else keep(this.messages, event.message)
    this.emit('event', event)
  }

  /** Says what became of a message. */
  deliver(id: string, delivery: { error?: string }): void {
    const message = this.messages.get(id)
    if (message) this.put({ kind: 'message', message: { ...message, delivery } })
  }
}

const keep = <T extends { id: string }>(kept: Map<string, T>, item: T): void => {
  kept.set(item.id, item)
  for (const oldest of kept.keys()) {
    if (kept.size <= LIMIT) return
    kept.delete(oldest)
  }
}

/** Without the token: only that there was one. */
export const withoutToken = (headers: Record<string, unknown>): Record<string, unknown> =>
  'authorization' in headers
    ? { ...headers, authorization: String(headers['authorization']).replace(/\S+$/, '•••') }
    : headers

type Ends = Pick<Exchange, 'from' | 'to'>

/** Puts the requests that a server gets on the wire, and its answers. */
export const observe = (server: FastifyInstance, wire: Wire, ends: Ends): void => {
  const open = new WeakMap<FastifyRequest, Exchange>()
  const put = (request: FastifyRequest, exchange: Exchange) => {
    open.set(request, exchange)
    wire.put({ kind: 'exchange', exchange })
  }

  // By then the request's body is there.
  server.addHook('preValidation', async (request: FastifyRequest, reply: FastifyReply) => {
    put(request, {
      ...ends,
      id: `${ends.to} ${request.id}`,
      at: Date.now(),
      method: request.method,
      url: request.url,
      requestHeaders: withoutToken(request.headers),
      requestBody:
        typeof request.body === 'string' ? request.body : request.body ? JSON.stringify(request.body) : undefined,
    })
    reply.raw.once('close', () => {
      const exchange = open.get(request)!
      if (exchange.status !== undefined) return
      put(request, { ...exchange, error: 'closed without an answer', durationMs: Date.now() - exchange.at })
    })
  })
  server.addHook('onSend', async (request, reply, payload) => {
    const exchange = open.get(request)
    if (exchange) {
      put(request, {
        ...exchange,
        status: reply.statusCode,
        responseHeaders: reply.getHeaders(),
        responseBody: typeof payload === 'string' ? payload : undefined,
        durationMs: Date.now() - exchange.at,
      })
    }
    return payload
  })
}
