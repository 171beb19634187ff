import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

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
  /** How many characters were left out at its end. */
  requestBodyOmitted?: number
  /** Absent while the answer is outstanding, and where there is none. */
  status?: number
  responseHeaders?: Record<string, unknown>
  responseBody?: string
  responseBodyOmitted?: number
  /** Why there is no answer. */
  error?: string
  durationMs?: number
}

const MAX_LENGTH = 64 * 1024

/** The first 64 k characters of a text, and how many are left out. */
export const beginningOf = (text: string): { text: string; omitted: number } => ({
  text: text.slice(0, MAX_LENGTH),
  omitted: Math.max(text.length - MAX_LENGTH, 0),
})

/** The exchange with no more than the beginnings of its bodies, so that a watcher can keep it. */
export const shortened = (exchange: Exchange): Exchange => {
  const request = beginningOf(exchange.requestBody ?? '')
  const response = beginningOf(exchange.responseBody ?? '')
  return {
    ...exchange,
    ...(request.omitted > 0 && { requestBody: request.text, requestBodyOmitted: request.omitted }),
    ...(response.omitted > 0 && { responseBody: response.text, responseBodyOmitted: response.omitted }),
  }
}

type Ends = Pick<Exchange, 'from' | 'to'>

/** Reports the requests that a server gets, each when it is there and when it is answered. */
export const observeExchanges = (server: FastifyInstance, ends: Ends, report: (exchange: Exchange) => void): void => {
  const open = new WeakMap<FastifyRequest, Exchange>()
  const tell = (request: FastifyRequest, exchange: Exchange) => {
    open.set(request, exchange)
    report(exchange)
  }

  // By then the request's body is there.
  server.addHook('preValidation', async (request: FastifyRequest, reply: FastifyReply) => {
    tell(request, {
      ...ends,
      id: `${ends.to} ${request.id}`,
      at: Date.now(),
      method: request.method,
      url: request.url,
      requestHeaders: request.headers,
      requestBody:
        typeof request.body === 'string' ? request.body : request.body ? JSON.stringify(request.body) : undefined,
    })
    reply.raw.once('close', () => {
      const exchange = open.get(request)!
      if (exchange.status !== undefined) return
      tell(request, { ...exchange, error: 'closed without an answer', durationMs: Date.now() - exchange.at })
    })
  })
  server.addHook('onSend', async (request, reply, payload) => {
    const exchange = open.get(request)
    if (exchange) {
      tell(request, {
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
