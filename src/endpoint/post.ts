import http, { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import https from 'node:https'
import { version } from '../../package.json'
import { IdleConnections } from '../http/idle-connections'
import { agents, type ConnectingOptions } from './agents'
import { TIMED_OUT } from './connect'
import { type Progress, transportFailure } from './endpoint-failure'
import { decoded, isScriptDone, targetToFollow } from './redirect'
import { ANSWER_MS, MIN_SHARE, REFUSAL_BODY_MS } from '../time-limits'

const idleConnections = new IdleConnections(Object.values(agents))

const MAX_HEAD_BYTES = 64 * 1024

const MAX_REDIRECTS = 3

/** Public backends know Botpress by its name in it. */
export const USER_AGENT = `Botpress-Messaging-API/${version}`

/** How much of the body of a 2xx is read, from the end of the request on: many servers stop their work if it is cut off. */
const BODY_OF_TAKEN = { limitMs: ANSWER_MS, limitBytes: 1024 * 1024 }

/** The same of any other answer, from its head on. */
const BODY_OF_REFUSED = { limitMs: REFUSAL_BODY_MS, limitBytes: 64 * 1024 }

export type TryLimits = {
  /** For looking the name up, connecting, and agreeing on TLS. */
  connectTimeoutMs: number
  /** From then until the head of the answer is there. */
  answerTimeoutMs: number
  /** For both. Default: their sum. */
  headTimeoutMs?: number
}

export type PostOptions = TryLimits & {
  headers: Record<string, string>
  /** One more, which replaces another of the same name. */
  header?: [name: string, value: string]
  body: string
  /** When everything must have ended, in milliseconds since 1970. */
  deadline: number
  /** Not over a kept one. */
  overNewConnection: boolean
}

/** The head of an answer. */
export type Answer = {
  /** Who answered: after redirects, not the URL that was configured. */
  url: URL
  status: number
  headers: IncomingHttpHeaders
  /** Whether the endpoint took the message. */
  isTaken: boolean
  /** From the end of the request to the head of its answer. */
  waitedMs: number
  /** Resolves when the answer has been read or cut off: an instance must not be frozen before. */
  done: Promise<void>
}

/**
 * Posts a body once, and follows redirects that ask for it at the same host. The answer's body is thrown away.
 *
 * @returns when the head of the answer is there
 * @throws EndpointFailure if there is no answer
 */
export const post = async (url: URL, options: PostOptions): Promise<Answer> => {
  if (options.overNewConnection) idleConnections.closeAll()
  else await idleConnections.closeStale()
  const { connectTimeoutMs, answerTimeoutMs, headTimeoutMs = connectTimeoutMs + answerTimeoutMs } = options
  const headDeadline = Math.min(options.deadline, Date.now() + headTimeoutMs)
  let target = url
  for (let redirects = 0; ; redirects++) {
    const answer: Answer = await postOnce(target, options, headDeadline)
    const next = redirects < MAX_REDIRECTS ? targetToFollow(target, answer) : undefined
    await (next && answer.done)
    if (!next || headDeadline - Date.now() < headTimeoutMs * MIN_SHARE) return answer
    target = next
  }
}

/** Posts a body once, to one address. */
const postOnce = (url: URL, options: PostOptions, headDeadline: number): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { body, connectTimeoutMs, answerTimeoutMs, deadline } = options
    const connectDeadline = Math.min(Date.now() + connectTimeoutMs, headDeadline)
    let timedOutMs = connectDeadline - Date.now()
    let progress: Progress = 'connecting'
    let sentAt: number | undefined
    let bytesBefore = 0
    let timer: NodeJS.Timeout | undefined

    const request = requestTo(url, options, connectDeadline)
    const fail = (error: { code?: string; message: string }) =>
      reject(transportFailure(url, error, progress, timedOutMs))
    const setLimit = (limitMs: number) => {
      clearTimeout(timer)
      timer = setTimeout(() => {
        timedOutMs = limitMs
        request.destroy(Object.assign(new Error('timed out'), { code: TIMED_OUT }))
      }, limitMs)
    }
    const onResponse = (response: IncomingMessage) => {
      progress = 'answered'
      const { statusCode: status = 0, headers } = response
      const isTaken = (status >= 200 && status <= 299) || isScriptDone(url, { status, headers })
      const waitedMs = sentAt === undefined ? 0 : Date.now() - sentAt
      const { limitMs, limitBytes } = isTaken ? BODY_OF_TAKEN : BODY_OF_REFUSED
      setLimit(Math.max(Math.min(limitMs - (isTaken ? waitedMs : 0), deadline - Date.now()), 1))
      let bytes = 0
      response
        .on('data', (chunk: Buffer) => {
          bytes += chunk.length
          if (bytes > limitBytes) request.destroy()
        })
        // The head has decided whether the message was taken.
        .on('error', () => {})
      const done = new Promise<void>((resolveDone) => request.once('close', resolveDone))
      resolve({ url, status, headers, isTaken, waitedMs, done })
    }
    request
      // Emitted once the connection is made.
      .once('socket', (socket) => {
        progress = 'sending'
        bytesBefore = socket.bytesRead
        setLimit(Math.max(Math.min(answerTimeoutMs, headDeadline - Date.now()), 1))
      })
      .once('finish', () => {
        sentAt = Date.now()
        if (progress === 'sending') progress = 'sent'
      })
      .once('response', onResponse)
      .once('upgrade', (response, socket) => {
        // A 101 that nobody asked for.
        onResponse(response)
        socket.destroy()
      })
      .on('error', (error) => {
        if (progress === 'sent' && request.socket!.bytesRead > bytesBefore) progress = 'answering'
        fail(error)
      })
      .once('close', () => {
        clearTimeout(timer)
        if (progress !== 'answered') fail({ code: 'ECONNRESET', message: 'closed' })
      })
      .end(body)
  })

const requestTo = (url: URL, { headers, header, body }: PostOptions, connectDeadline: number): ClientRequest => {
  const { protocol, hostname, port, pathname, search, username, password } = url
  const isSecure = protocol === 'https:'
  const connecting: ConnectingOptions = {
    agent: isSecure ? agents.https : agents.http,
    // In a URL, an IPv6 address is in brackets.
    hostname: hostname.replaceAll(/[[\]]/g, ''),
    port: port || undefined,
    path: pathname + search,
    auth: username || password ? `${decoded(username)}:${decoded(password)}` : undefined,
    method: 'POST',
    maxHeaderSize: MAX_HEAD_BYTES,
    headers: {
      ...headers,
      accept: '*/*',
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': USER_AGENT,
    },
    connectDeadline,
  }
  const request = (isSecure ? https : http).request(connecting)
  if (header) request.setHeader(...header)
  return request
}
