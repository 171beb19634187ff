import http, {
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
import { name, version } from '../../package.json'
import { IdleConnections } from '../idle-connections'
import { discardBody } from './discard-body'
import { type Progress, transportFailure } from './endpoint-failure'
import { publicAgents } from './public-agents'
// As the official client requires it: another form would bundle a second copy.
import axios = require('axios')

const idleConnections = new IdleConnections(Object.values(publicAgents))

const client = axios.create({
  ...publicAgents,
  adapter: 'http',
  // A proxy of the environment would connect to addresses that the agents refuse.
  proxy: false,
  // A redirected POST becomes a GET and loses the message.
  maxRedirects: 0,
  responseType: 'stream',
  decompress: false,
  // It takes a status of 000 for one that is not there.
  validateStatus: () => true,
  headers: { 'content-type': 'application/json', 'user-agent': `${name}/${version}` },
})

export type TryLimits = {
  /** For looking the name up, connecting, and agreeing on TLS. */
  connectTimeoutMs: number
  /** From then until the head of the answer is there. */
  answerTimeoutMs: number
}

export type PostOptions = TryLimits & {
  headers: Record<string, string>
  /** One more, of any name: axios keeps its headers among methods of the same names. */
  header?: [name: string, value: string]
  body: Buffer
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
  { headers, header, body, connectTimeoutMs, answerTimeoutMs, deadline, overNewConnection }: PostOptions
): Promise<{ status: number; headers: IncomingHttpHeaders }> => {
  let progress: Progress = 'connecting'
  let timedOutMs: number | undefined
  let rejectClosed: (error: unknown) => void
  const closed = new Promise<never>((_resolve, reject) => (rejectClosed = reject))

  const request = (options: RequestOptions, onResponse: (response: IncomingMessage) => void): ClientRequest => {
    const isSecure = url.protocol === 'https:'
    const sent = (isSecure ? https : http).request(options, onResponse)
    if (header) sent.setHeader(...header)
    let timer: NodeJS.Timeout
    const setLimit = (limitMs: number) => {
      const ms = Math.max(Math.min(limitMs, deadline - Date.now()), 1)
      clearTimeout(timer)
      timer = setTimeout(() => {
        timedOutMs = ms
        sent.destroy(new Error('timed out'))
      }, ms)
    }
    const onConnected = () => {
      progress = 'sending'
      setLimit(answerTimeoutMs)
    }
    setLimit(connectTimeoutMs)
    sent
      .once('socket', (socket: Socket) => {
        if (socket.connecting) socket.once(isSecure ? 'secureConnect' : 'connect', onConnected)
        else onConnected()
      })
      .once('finish', () => (progress = 'sent'))
      .once('response', () => clearTimeout(timer))
      .once('close', () => {
        clearTimeout(timer)
        // After a 101, Node tells neither of an answer nor of an error. What has been told of already stays.
        setImmediate(() => rejectClosed(new axios.AxiosError('closed', 'ECONNRESET')))
      })
    return sent
  }

  const isSent = () => progress === 'sent'

  if (overNewConnection) idleConnections.closeAll()
  else await idleConnections.closeStale()
  try {
    const answer = client.post(url.href, body, { headers, transport: { request } })
    const { status, headers: answered, data } = await Promise.race([answer, closed])
    // Answered before it was sent whole, a request would keep its connection for ever.
    if (isSent()) await discardBody(data)
    else data.destroy()
    return { status, headers: answered as IncomingHttpHeaders }
  } catch (thrown) {
    if (!axios.isAxiosError(thrown)) throw thrown
    throw transportFailure(url, thrown, { progress, timedOutMs })
  }
}
