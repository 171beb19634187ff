import axios from 'axios'
import { randomUUID } from 'node:crypto'
import http from 'node:http'
import https from 'node:https'
import { addAbortSignal, type Readable } from 'node:stream'
import type { Endpoint } from '../../src/configuration'
import type { OutgoingMessage } from '../../src/messages/outgoing-message'
import { USER_AGENT } from '../../src/endpoint/post'
import { type Answer, answerOf, noAnswerWithin } from './answer'
import { CONVERSATION_ID } from './deliveries'

type Agents = { httpAgent: http.Agent; httpsAgent: https.Agent }

const agentsWith = (options: http.AgentOptions): Agents => ({
  httpAgent: new http.Agent(options),
  httpsAgent: new https.Agent(options),
})

// Those of Node keep them.
const KEEPING_NONE = agentsWith({ keepAlive: false })

/** A message as the integration would post it, but for what is given. */
export type Posting = {
  fields?: Partial<OutgoingMessage>
  /** What becomes of the body once it is signed. */
  changed?: (body: string) => string
  /** The `webhook-id`. Default: a new one. */
  id?: string
  /** How long ago it was sent. Default: now. */
  ageMs?: number
  /** What becomes of the right signature; nothing is sent for an empty one. */
  signature?: (right: string) => string
  /** What becomes of the right value of the endpoint header; nothing is sent for an empty one. */
  headerValue?: (right: string) => string
  /** Default: each over a connection of its own. */
  agents?: Agents
}

type StrangerRequest = { body?: string; headers?: Record<string, string> } & Pick<Posting, 'agents'>

export type PostedAnswer = Answer & {
  /** Absent where there was none. */
  overKeptConnection?: boolean
}

/** Agents that keep one connection. */
export const keepingAgents = () => {
  const agents = agentsWith({ keepAlive: true, maxSockets: 1 })
  return { agents, close: () => Object.values(agents).forEach((agent) => agent.destroy()) }
}

/** As much of an answer's body is read, for as long. */
const MAX_BODY = 1024
const BODY_MS = 200

/** What comes of a body soon: it may have no end. */
const beginningIn = async (stream: Readable): Promise<string> => {
  let text = ''
  try {
    for await (const chunk of addAbortSignal(AbortSignal.timeout(BODY_MS), stream)) {
      text += String(chunk)
      if (text.length > MAX_BODY) break
    }
  } catch {
    // The status is what counts, and it is there.
  }
  return text
}

type RequestsOptions = {
  endpoint: Endpoint
  /** How long an answer is waited for. */
  limitMs: number
  /** Ends what is under way. */
  signal: AbortSignal
  /** Takes out what is secret. */
  hide: (text: string) => string
}

/** Makes requests to a backend: those of the integration, changed as it is told, and those of strangers. */
export class Requests {
  constructor(private readonly options: RequestsOptions) {}

  /** Posts a message. */
  post({
    fields,
    changed = (body) => body,
    id = `msg_${randomUUID()}`,
    ageMs = 0,
    signature = (right) => right,
    headerValue = (right) => right,
    agents,
  }: Posting): Promise<PostedAnswer> {
    const { webhooks, header: [headerName = '', value = ''] = [] } = this.options.endpoint
    const sentAt = new Date(Date.now() - ageMs)
    const body = JSON.stringify({
      type: 'text',
      payload: { text: 'Hello' },
      conversationId: CONVERSATION_ID,
      botpressUserId: 'user_check',
      botpressMessageId: id,
      botpressConversationId: 'conv_check',
      ...fields,
    })
    const headers = {
      'content-type': 'application/json',
      'user-agent': USER_AGENT,
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(sentAt.getTime() / 1000)),
      'botpress-created-at': sentAt.toISOString(),
      'webhook-signature': signature(webhooks.map((webhook) => webhook.sign(id, sentAt, body)).join(' ')),
      [headerName]: headerValue(value),
    }
    const sent = Object.fromEntries(Object.entries(headers).filter(([, held]) => held !== ''))
    return this.request('POST', { body: changed(body), headers: sent, agents })
  }

  /** Makes a stranger’s request: with no signature, and without the header. */
  async request(
    method: 'GET' | 'POST',
    { body = '', headers, agents = KEEPING_NONE }: StrangerRequest = {}
  ): Promise<PostedAnswer> {
    const { endpoint, limitMs, signal, hide } = this.options
    const start = performance.now()
    const deadline = AbortSignal.timeout(limitMs)
    // As bytes: of a text that is no JSON, axios makes some.
    const data = method === 'GET' ? undefined : Buffer.from(body)
    const answer = (received: object): Answer =>
      answerOf(endpoint.url, { ms: performance.now() - start, sentBytes: data?.length ?? 0, ...received }, hide)
    try {
      const response = await axios.request<Readable>({
        ...agents,
        url: endpoint.url.href,
        method,
        data,
        headers,
        signal: AbortSignal.any([deadline, signal]),
        proxy: false,
        maxRedirects: 0,
        decompress: false,
        responseType: 'stream',
        validateStatus: () => true,
      })
      const { status, headers: answered, request } = response
      const ms = performance.now() - start
      const beginning = await beginningIn(response.data)
      return {
        ...answer({ status, headers: answered, body: beginning, ms }),
        overKeptConnection: request.reusedSocket,
      }
    } catch (error) {
      return deadline.aborted ? noAnswerWithin(limitMs) : answer({ error: (error as Error).message })
    }
  }
}
