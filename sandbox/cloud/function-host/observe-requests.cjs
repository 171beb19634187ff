// @ts-check
const { ClientRequest } = require('node:http')
const { urlOf } = require('./fail-requests.cjs')

let count = 0

/** The bytes of an answer's body that are reported. */
const MAX_BODY = 64 * 1024

/**
 * Reports the HTTP requests that this thread makes, each when it begins, when it is answered, and when the answer's body is
 * read. Those to Botpress are not: they are told, in a header, within which call they are made.
 *
 * @param {{ botpress: string, callNow: () => string | undefined, report: (exchange: object) => void }} props `botpress` is
 *   what the URLs of requests to Botpress begin with
 */
exports.observeRequests = ({ botpress, callNow, report }) => {
  // Node tells of a request in a diagnostics channel too, but not of its body.
  const { write, end } = ClientRequest.prototype
  /** @type {WeakMap<object, Buffer[]>} */
  const bodies = new WeakMap()
  const collect = (/** @type {object} */ request, /** @type {unknown} */ chunk) => {
    if (typeof chunk !== 'string' && !Buffer.isBuffer(chunk)) return
    bodies.set(request, [...(bodies.get(request) ?? []), Buffer.from(chunk)])
  }
  const mark = (/** @type {import('node:http').ClientRequest} */ request) => {
    const call = callNow()
    if (call !== undefined && !request.headersSent && urlOf(request).startsWith(botpress)) {
      request.setHeader('x-sandbox-call', call)
    }
  }
  ClientRequest.prototype.write = /** @type {any} */ (
    function (/** @type {any[]} */ ...args) {
      // @ts-expect-error `this` is the request
      const request = this
      mark(request)
      collect(request, args[0])
      return write.apply(request, /** @type {any} */ (args))
    }
  )
  ClientRequest.prototype.end = /** @type {any} */ (
    function (/** @type {any[]} */ ...args) {
      // @ts-expect-error `this` is the request
      const request = this
      mark(request)
      collect(request, args[0])
      watch(request)
      return end.apply(request, /** @type {any} */ (args))
    }
  )

  const watch = (/** @type {import('node:http').ClientRequest} */ request) => {
    const url = urlOf(request)
    if (url.startsWith(botpress)) return
    const { 'x-sandbox-fault': _fault, ...requestHeaders } = request.getHeaders()
    const exchange = {
      id: `endpoint-${++count}-${Date.now()}`,
      call: callNow(),
      at: Date.now(),
      from: 'integration',
      to: 'endpoint',
      method: request.method,
      url,
      requestHeaders,
      requestBody: bodies.has(request) ? Buffer.concat(bodies.get(request) ?? []).toString() : undefined,
    }
    let isDone = false
    const finishOnce = (/** @type {object} */ outcome) => {
      if (isDone) return
      isDone = true
      const ended = { ...exchange, ...outcome, durationMs: Date.now() - exchange.at }
      report(ended)
      return ended
    }
    request
      .once('response', (response) => {
        const answered = finishOnce({ status: response.statusCode, responseHeaders: { ...response.headers } })
        if (answered) collectBody(response, (body) => report({ ...answered, ...body }))
      })
      .once('error', (error) => finishOnce({ error: error.message || String(/** @type {any} */ (error).code) }))
      .once('close', () => finishOnce({ error: 'closed without an answer' }))
    report(exchange)
  }
}

/**
 * Tells an answer's body, as far as it comes, whether or not somebody reads it: listening for it would make it flow.
 *
 * @param {import('node:http').IncomingMessage} response
 * @param {(body: { responseBody: string, responseBodyOmitted?: number }) => void} tell
 */
const collectBody = (response, tell) => {
  const { push } = response
  /** Whole, so that no character is cut where chunks are. @type {Buffer[]} */
  const chunks = []
  let length = 0
  response.push = (chunk, encoding) => {
    if (chunk !== null && length < MAX_BODY) chunks.push(Buffer.from(chunk))
    length += chunk?.length ?? 0
    return push.call(response, chunk, encoding)
  }
  response.once('close', () => {
    if (length === 0) return
    const responseBody = Buffer.concat(chunks).subarray(0, MAX_BODY).toString()
    tell({ responseBody, ...(length > MAX_BODY && { responseBodyOmitted: length - MAX_BODY }) })
  })
}
