import http, { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
import { version } from '../../package.json'
import { IdleConnections, KEEP_ALIVE } from '../idle-connections'
import { type Progress, transportFailure } from './endpoint-failure'
import { isRefusedAddress, lookupPublic, PrivateAddressError } from './public-addresses'
import { isScriptDone, targetToFollow } from './redirect'

const agents = { http: new http.Agent(KEEP_ALIVE), https: new https.Agent(KEEP_ALIVE) }

const idleConnections = new IdleConnections(Object.values(agents))

const CONNECTION = {
  // Node 18 tries the first address only, later ones give each 250 ms: too short for another continent.
  autoSelectFamily: true,
  autoSelectFamilyAttemptTimeout: 2500,
  maxHeaderSize: 64 * 1024,
}

const MAX_REDIRECTS = 3

/** By the word Botpress public backends tell who calls. */
export const USER_AGENT = `Botpress-Messaging-API/${version}`

/**
 * So long after the request was sent whole, and of such a length, an answer's body is read and thrown away. To many servers
 * a connection that is cut off means: stop the work.
 */
const BODY_OF_TAKEN = { limitMs: 30_000, limitBytes: 1024 * 1024 }

/** From its head on, if the message was not taken. */
const BODY_OF_REFUSED = { limitMs: 1000, limitBytes: 64 * 1024 }

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

/** The head of an answer. */
export type Answer = {
  status: number
  headers: IncomingHttpHeaders
  /** Whether the endpoint has taken the message. */
  isTaken: boolean
  /** How long the head was waited for, once the request was sent whole. */
  waitedMs: number
  /** Resolves when the answer has been read to its end, or cut off: until then an instance must not be frozen. */
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
  const deadline = Math.min(options.deadline, Date.now() + options.connectTimeoutMs + options.answerTimeoutMs)
  let target = url
  for (let redirects = 0; ; redirects++) {
    const answer: Answer = await postTo(target, { ...options, deadline })
    const next = redirects < MAX_REDIRECTS ? targetToFollow(target, answer) : undefined
    if (!next) return answer
    await answer.done
    target = next
  }
}

/** Posts a body once, to one address. */
const postTo = (url: URL, options: PostOptions): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { body, connectTimeoutMs, answerTimeoutMs, deadline } = options
    let progress: Progress = 'connecting'
    let sentAt: number | undefined
    let isAnswered = false
    let timedOutMs: number | undefined
    let addresses: string[] = []
    const fail = (error: { code?: string; message: string }) =>
      reject(transportFailure(url, error, { progress, timedOutMs, addresses }))
    if (isRefusedAddress(url)) return fail(new PrivateAddressError())

    const request = requestTo(url, options, (found) => (addresses = found))
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
    const onResponse = (response: IncomingMessage) => {
      isAnswered = true
      const { statusCode: status = 0, headers } = response
      const isTaken = (status >= 200 && status <= 299) || isScriptDone(url, { status, headers })
      const waitedMs = sentAt === undefined ? 0 : Date.now() - sentAt
      setLimit(isTaken ? BODY_OF_TAKEN.limitMs - waitedMs : BODY_OF_REFUSED.limitMs)
      const { limitBytes } = isTaken ? BODY_OF_TAKEN : BODY_OF_REFUSED
      let bytes = 0
      response
        .on('data', (chunk: Buffer) => {
          bytes += chunk.length
          if (bytes > limitBytes) request.destroy()
        })
        // Whether the message was taken, the head has decided.
        .on('error', () => {})
      const done = new Promise<void>((resolveDone) => request.once('close', resolveDone))
      resolve({ status, headers, isTaken, waitedMs, done })
    }
    setLimit(connectTimeoutMs)
    request
      .once('socket', (socket: Socket) => {
        if (socket.connecting) socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', onConnected)
        else onConnected()
      })
      .once('finish', () => {
        progress = 'sent'
        sentAt = Date.now()
      })
      .once('response', onResponse)
      .on('error', fail)
      .once('close', () => {
        clearTimeout(timer)
        // After a 101, Node tells neither of an answer nor of an error.
        if (!isAnswered) fail({ code: 'ECONNRESET', message: 'closed' })
      })
      .end(body)
  })

const requestTo = (
  url: URL,
  { headers, header, body }: PostOptions,
  onAddresses: (addresses: string[]) => void
): ClientRequest => {
  const isSecure = url.protocol === 'https:'
  const request = (isSecure ? https : http).request(url, {
    ...CONNECTION,
    agent: isSecure ? agents.https : agents.http,
    lookup: lookupPublic(onAddresses),
    method: 'POST',
    headers: {
      ...headers,
      accept: '*/*',
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': USER_AGENT,
    },
  })
  if (header) request.setHeader(...header)
  return request
}
