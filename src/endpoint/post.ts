import http, { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
import { name, version } from '../../package.json'
import { IdleConnections } from '../idle-connections'
import { discardBody } from './discard-body'
import { type Progress, transportFailure } from './endpoint-failure'
import { publicAgents } from './public-agents'

const idleConnections = new IdleConnections(Object.values(publicAgents))

export type TryLimits = {
  /** For looking the name up, connecting, and agreeing on TLS. */
  connectTimeoutMs: number
  /** From then until the head of the answer is there. */
  answerTimeoutMs: number
}

export type PostOptions = TryLimits & {
  headers: Record<string, string>
  /** One more. Over the other headers it wins. */
  header?: [name: string, value: string]
  body: string
  /** By then it has ended, in milliseconds since 1970. */
  deadline: number
  /** Not over one that was kept from before. */
  overNewConnection: boolean
}

/**
 * Posts a body once. The answer's body is not kept.
 *
 * @throws EndpointFailure where there is no answer
 */
export const post = async (
  url: URL,
  options: PostOptions
): Promise<{ status: number; headers: IncomingHttpHeaders }> => {
  if (options.overNewConnection) idleConnections.closeAll()
  else await idleConnections.closeStale()
  const { response, isSent } = await answerTo(url, options)
  // Answered before it was sent whole, a request would keep its connection for ever.
  if (isSent) await discardBody(response)
  else response.destroy()
  return { status: response.statusCode!, headers: response.headers }
}

const requestTo = (url: URL, { headers, header, body }: PostOptions): ClientRequest => {
  const isSecure = url.protocol === 'https:'
  const request = (isSecure ? https : http).request(url, {
    agent: isSecure ? publicAgents.httpsAgent : publicAgents.httpAgent,
    method: 'POST',
    headers: {
      ...headers,
      accept: '*/*',
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': `${name}/${version}`,
    },
  })
  if (header) request.setHeader(...header)
  return request
}

/** Resolves when the head of the answer is there. */
const answerTo = (url: URL, options: PostOptions): Promise<{ response: IncomingMessage; isSent: boolean }> =>
  new Promise((resolve, reject) => {
    const { body, connectTimeoutMs, answerTimeoutMs, deadline } = options
    const request = requestTo(url, options)
    let progress: Progress = 'connecting'
    let timedOutMs: number | undefined
    let isAnswered = false
    let timer: NodeJS.Timeout
    const setLimit = (limitMs: number) => {
      const ms = Math.max(Math.min(limitMs, deadline - Date.now()), 1)
      clearTimeout(timer)
      timer = setTimeout(() => {
        timedOutMs = ms
        request.destroy(new Error('timed out'))
      }, ms)
    }
    const onConnected = () => {
      progress = 'sending'
      setLimit(answerTimeoutMs)
    }
    const fail = (error: { code?: string; message: string }) =>
      reject(transportFailure(url, error, { progress, timedOutMs }))
    setLimit(connectTimeoutMs)
    request
      .once('socket', (socket: Socket) => {
        if (socket.connecting) socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', onConnected)
        else onConnected()
      })
      .once('finish', () => (progress = 'sent'))
      .once('response', (response) => {
        clearTimeout(timer)
        isAnswered = true
        resolve({ response, isSent: progress === 'sent' })
      })
      .on('error', fail)
      .once('close', () => {
        clearTimeout(timer)
        // After a 101, Node tells neither of an answer nor of an error.
        if (!isAnswered) fail({ code: 'ECONNRESET', message: 'closed' })
      })
      .end(body)
  })
