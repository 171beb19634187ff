import axios from 'axios'
import { randomUUID } from 'node:crypto'
import http from 'node:http'
import https from 'node:https'
import { name, version } from '../package.json'
import type { Endpoint } from '../src/configuration'
import type { OutgoingMessage } from '../src/endpoint/outgoing-message'
import { type Answer, noAnswerWithin } from './answer'
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

export type PostedAnswer = Answer & { overKeptConnection: boolean }

/** Agents that keep one connection. */
export const keepingAgents = () => {
  const agents = agentsWith({ keepAlive: true, maxSockets: 1 })
  return { agents, close: () => Object.values(agents).forEach((agent) => agent.destroy()) }
}

/** Sends a backend requests that the integration would not make. */
export class Requests {
  constructor(
    private readonly endpoint: Endpoint,
    private readonly limitMs: number
  ) {}

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
    const { webhooks, header: [headerName = '', value = ''] = [] } = this.endpoint
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
      'user-agent': `${name}/${version}`,
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(sentAt.getTime() / 1000)),
      'botpress-created-at': sentAt.toISOString(),
      'webhook-signature': signature(webhooks.map((webhook) => webhook.sign(id, sentAt, body)).join(' ')),
      [headerName]: headerValue(value),
    }
    const sent = Object.fromEntries(Object.entries(headers).filter(([, held]) => held !== ''))
    return this.request('POST', { body: changed(body), headers: sent, agents })
  }

  /** Requests as somebody else would: with no signature, and without the header. */
  async request(
    method: 'GET' | 'POST',
    {
      body,
      headers,
      agents = KEEPING_NONE,
    }: { body?: string; headers?: Record<string, string> } & Pick<Posting, 'agents'> = {}
  ): Promise<PostedAnswer> {
    const start = performance.now()
    const signal = AbortSignal.timeout(this.limitMs)
    try {
      const response = await axios.request<string>({
        ...agents,
        url: this.endpoint.url.href,
        method,
        // Of a text, axios makes JSON where it is none.
        data: body === undefined ? undefined : Buffer.from(body),
        headers,
        signal,
        proxy: false,
        maxRedirects: 0,
        responseType: 'text',
        transformResponse: (text) => text,
        validateStatus: () => true,
      })
      return {
        status: response.status,
        headers: response.headers as Answer['headers'],
        body: response.data,
        ms: performance.now() - start,
        overKeptConnection: response.request.reusedSocket,
      }
    } catch (error) {
      const { message } = error as Error
      if (signal.aborted) return { ...noAnswerWithin(this.limitMs), overKeptConnection: false }
      return { headers: {}, body: '', error: message, ms: performance.now() - start, overKeptConnection: false }
    }
  }
}
