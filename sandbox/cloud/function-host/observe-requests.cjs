// @ts-check
const { ClientRequest } = require('node:http')

let count = 0

/**
 * Reports the HTTP requests that this thread makes, each when it begins and when it ends.
 *
 * @param {string} except requests to URLs that begin so are not reported
 * @param {(exchange: object) => void} report
 */
exports.observeRequests = (except, report) => {
  // Node tells of a request in a diagnostics channel too, but not of its body.
  const { write, end } = ClientRequest.prototype
  /** @type {WeakMap<object, string>} */
  const bodies = new WeakMap()
  const collect = (/** @type {object} */ request, /** @type {unknown} */ chunk) => {
    if (typeof chunk !== 'string' && !Buffer.isBuffer(chunk)) return
    bodies.set(request, (bodies.get(request) ?? '') + String(chunk))
  }
  ClientRequest.prototype.write = /** @type {any} */ (
    function (/** @type {any[]} */ ...args) {
      // @ts-expect-error `this` is the request
      const request = this
      collect(request, args[0])
      return write.apply(request, /** @type {any} */ (args))
    }
  )
  ClientRequest.prototype.end = /** @type {any} */ (
    function (/** @type {any[]} */ ...args) {
      // @ts-expect-error `this` is the request
      const request = this
      collect(request, args[0])
      watch(request)
      return end.apply(request, /** @type {any} */ (args))
    }
  )

  const watch = (/** @type {import('node:http').ClientRequest} */ request) => {
    const origin = `${request.protocol}//${request.getHeader('host')}`
    if ((origin + request.path).startsWith(except)) return
    const exchange = {
      id: `endpoint ${++count} ${Date.now()}`,
      at: Date.now(),
      from: 'integration',
      to: 'endpoint',
      method: request.method,
      url: origin + request.path,
      requestHeaders: { ...request.getHeaders() },
      requestBody: bodies.get(request),
    }
    let isDone = false
    const finishOnce = (/** @type {object} */ outcome) => {
      if (!isDone) report({ ...exchange, ...outcome, durationMs: Date.now() - exchange.at })
      isDone = true
    }
    request
      .once('response', ({ statusCode, headers }) =>
        finishOnce({ status: statusCode, responseHeaders: { ...headers } })
      )
      .once('error', (error) => finishOnce({ error: error.message || String(/** @type {any} */ (error).code) }))
      .once('close', () => finishOnce({ error: 'closed without an answer' }))
    report(exchange)
  }
}
