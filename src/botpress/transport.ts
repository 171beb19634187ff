import { AsyncLocalStorage } from 'node:async_hooks'
import http, { type ClientRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http'
import https from 'node:https'
import { IdleConnections, KEEP_ALIVE } from '../http/idle-connections'
import { BotpressFailure } from './botpress-failure'
// Imported as in the official client: another form would bundle a second copy.
import axios = require('axios')

const httpAgent = new http.Agent(KEEP_ALIVE)
const httpsAgent = new https.Agent(KEEP_ALIVE)
const idleConnections = new IdleConnections([httpAgent, httpsAgent])

/** As the official client has it. */
const MAX_REQUEST_BYTES = 100 * 1024 * 1024

/** The requests of some work. */
type Calls = { unfinished: Set<ClientRequest>; areOver: boolean }

const callsOfWork = new AsyncLocalStorage<Calls>()

/**
 * Makes all clients of Botpress send their requests through this file. Left alone, each client keeps connections of its own
 * that nobody closes, its requests cannot be aborted, and they take twice the CPU.
 */
export const useTransport = (): void => {
  // The official client takes no adapter, but makes its axios from these defaults.
  axios.defaults.adapter = send
}

/**
 * Runs `work`, then aborts its unfinished calls to Botpress: a thawed instance must not resume them.
 *
 * @throws what `work` throws; a BotpressFailure that timed out, if it takes longer than `limitMs`
 */
export const inTime = async <T>(limitMs: number, work: () => Promise<T>): Promise<T> => {
  const calls: Calls = { unfinished: new Set(), areOver: false }
  let timer: NodeJS.Timeout | undefined
  const outOfTime = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new BotpressFailure('no answer in time', { timedOut: true })), limitMs)
  })
  try {
    return await Promise.race([callsOfWork.run(calls, work), outOfTime])
  } finally {
    clearTimeout(timer)
    calls.areOver = true
    for (const request of calls.unfinished) request.destroy()
  }
}

const send: axios.AxiosAdapter = async (config) => {
  const calls = callsOfWork.getStore()
  await idleConnections.closeStale()
  if (calls?.areOver) throw new axios.CanceledError('given up', config)
  const bytes = Buffer.byteLength(config.data ?? '')
  if (bytes > MAX_REQUEST_BYTES) {
    const answer = { status: 413, statusText: '', data: {}, headers: {}, config }
    throw new axios.AxiosError(`a request of ${bytes} bytes is too large`, '', config, undefined, answer)
  }
  const url = new URL(`${config.baseURL}${config.url}`)
  const isSecure = url.protocol === 'https:'
  const request = (isSecure ? https : http).request(url, {
    method: config.method?.toUpperCase(),
    headers: { ...(config.headers.toJSON() as OutgoingHttpHeaders), 'content-length': bytes },
    agent: isSecure ? httpsAgent : httpAgent,
  })
  let isConnected = false
  request.once('socket', (socket) => {
    if (request.reusedSocket) isConnected = true
    else socket.once(isSecure ? 'secureConnect' : 'connect', () => (isConnected = true))
  })
  const timer = setTimeout(() => {
    request.destroy(Object.assign(new Error(`no answer within ${config.timeout} ms`), { code: 'ETIMEDOUT' }))
  }, config.timeout)
  calls?.unfinished.add(request)
  try {
    const { status, ...rest } = await answerOf(request, config.data)
    const isOk = config.validateStatus?.(status) ?? true
    const isObject = /^\s*\{/.test(rest.data)
    // Something between us and Botpress has answered, such as a page.
    const answer = { ...rest, status: isOk && !isObject ? 502 : status, statusText: '', config, request }
    if (isOk && isObject) return answer
    throw new axios.AxiosError(`Request failed with status code ${status}`, '', config, request, answer)
  } catch (error) {
    if (axios.isAxiosError(error)) throw error
    // The network may have dropped the idle connection without a word, and the others with it.
    idleConnections.closeAll()
    const failure = axios.AxiosError.from(error as Error, (error as NodeJS.ErrnoException).code, config, request)
    throw Object.assign(failure, { isUnsent: !isConnected })
  } finally {
    clearTimeout(timer)
    calls?.unfinished.delete(request)
  }
}

const answerOf = (request: ClientRequest, body?: string) =>
  new Promise<{ status: number; headers: IncomingHttpHeaders; data: string }>((resolve, reject) => {
    request
      .on('response', (response) => {
        const { statusCode: status = 0, headers } = response
        let data = ''
        response
          .setEncoding('utf8')
          .on('data', (chunk: string) => (data += chunk))
          .on('end', () => resolve({ status, headers, data }))
          .on('error', reject)
      })
      .on('error', reject)
      .end(body)
  })
