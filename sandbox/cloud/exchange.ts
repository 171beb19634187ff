import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** One request and its answer, between two of those who take part. */
export type Exchange = {
  id: string
  /** When the request began, in milliseconds since 1970. */
  at: number
  /**
   * The call of the integration within which it was made: the id of the backend's exchange, or of the bot's message, that
   * the integration was called for. Absent where it is not known.
   */
  call?: string
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

/** As many characters of a text, and how many are left out. */
export const beginningOf = (text: string, length: number): { text: string; omitted: number } => ({
  text: text.slice(0, length),
  omitted: Math.max(text.length - length, 0),
})

/** The exchange with no more than so many characters of each of its bodies, beside those left out before. */
export const shortened = (exchange: Exchange, length: number): Exchange => {
  const request = beginningOf(exchange.requestBody ?? '', length)
  const response = beginningOf(exchange.responseBody ?? '', length)
  const { requestBodyOmitted = 0, responseBodyOmitted = 0 } = exchange
  return {
    ...exchange,
    ...(request.omitted > 0 && { requestBody: request.text, requestBodyOmitted: requestBodyOmitted + request.omitted }),
    ...(response.omitted > 0 && {
      responseBody: response.text,
      responseBodyOmitted: responseBodyOmitted + response.omitted,
    }),
  }
}

type Ends = Pick<Exchange, 'from' | 'to'>

/** Tells the embedded cloud, and nobody else, within which call an instance makes a request to Botpress. */
const CALL_HEADER = 'x-sandbox-call'

const calls = new WeakMap<FastifyRequest, string>()

/** Takes off the requests of a server what the sandbox's own instances have put on them: who looks at them does not see it. */
export const takeCalls = (server: FastifyInstance): void => {
  server.addHook('onRequest', async (request: FastifyRequest) => {
    const call = request.headers[CALL_HEADER]
    delete request.headers[CALL_HEADER]
    if (typeof call === 'string') calls.set(request, call)
  })
}

/** The id of the exchange that a request to a server begins. */
export const exchangeId = (to: Exchange['to'], request: FastifyRequest): string => `${to}-${request.id}`

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
      id: exchangeId(ends.to, request),
      call: calls.get(request),
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
