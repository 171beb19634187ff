// @ts-check
const http = require('node:http')
const https = require('node:https')
const net = require('node:net')

const KINDS = ['nothing', 'late', 'status', 'hang', 'reset', 'down']

/** Nobody listens there. */
const CLOSED_PORT = 1

/** The URLs that requests were meant for, before they were led elsewhere. @type {WeakMap<http.ClientRequest, string>} */
const urls = new WeakMap()

/** The URL that a request is for. @param {http.ClientRequest} request */
exports.urlOf = (request) => urls.get(request) ?? `${request.protocol}//${request.getHeader('host')}${request.path}`

/** Makes a connection for each request. Like the integration's own agents, it hands it over when it is made. */
class ConnectedAgent extends http.Agent {
  /** @param {any} options @param {any} callback */
  createConnection({ port, headers }, callback) {
    const socket = net.connect({ host: '127.0.0.1', port })
    // As if it had been the host that was meant.
    const fail = (/** @type {any} */ error) =>
      callback(Object.assign(error, { message: `connect ${error.code} ${headers.host}` }))
    return void socket.once('connect', () => callback(null, socket)).once('error', fail)
  }
}
const agent = new ConnectedAgent()

/**
 * Lets requests to the endpoint fail as the shared memory says: they are led to a server that fails on purpose, so that the
 * integration sees what it would see of a real one.
 *
 * @param {{ botpress: string, memory: Int32Array, faultyEndpoint: { port: number, secret: string }, tell: () => void }} props
 *   `botpress` is what the URLs of requests to Botpress begin with; `tell` is called for each fault
 */
exports.failRequests = ({ botpress, memory, faultyEndpoint, tell }) => {
  for (const [protocol, module] of Object.entries({ 'http:': http, 'https:': https })) {
    const { request } = module
    module.request = /** @type {any} */ (
      (/** @type {any} */ options, /** @type {any[]} */ ...rest) => {
        const url = urlFrom(protocol, options)
        const fault = url?.startsWith(botpress) === false ? take(memory) : undefined
        if (!url || !fault) return /** @type {any} */ (request)(options, ...rest)
        tell()
        const { port, secret } = faultyEndpoint
        const headers = {
          ...options.headers,
          host: new URL(url).host,
          'x-sandbox-fault': JSON.stringify({ ...fault, url, secret }),
        }
        const elsewhere = {
          agent,
          hostname: '127.0.0.1',
          host: undefined,
          port: fault.kind === 'down' ? CLOSED_PORT : port,
        }
        const failing = /** @type {any} */ (httpRequest)({ ...options, ...elsewhere, headers }, ...rest)
        urls.set(failing, url)
        return failing
      }
    )
  }
}

const httpRequest = http.request

/** @param {string} protocol @param {any} options */
const urlFrom = (protocol, options) => {
  if (options instanceof URL) return options.href
  if (typeof options === 'string') return options
  const { hostname = options.host, port, path = '/' } = options
  const host = net.isIPv6(hostname) ? `[${hostname}]` : hostname
  return `${protocol}//${host}${port ? `:${port}` : ''}${path}`
}

/** Takes one of the times that something is to go wrong. @param {Int32Array} memory */
const take = (memory) => {
  const kind = Atomics.load(memory, 0)
  if (kind === 0) return undefined
  for (;;) {
    const left = Atomics.load(memory, 1)
    if (left === 0) return undefined
    // -1 is for ever.
    if (left > 0 && Atomics.compareExchange(memory, 1, left, left - 1) !== left) continue
    return { kind: KINDS[kind], status: Atomics.load(memory, 2), delayMs: Atomics.load(memory, 3) }
  }
}
