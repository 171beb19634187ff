import type { Message } from '@botpress/client'
import { EventEmitter } from 'node:events'
import type { CloudEvents } from '../cloud/cloud-events'
import { beginningOf, type Exchange, shortened } from '../cloud/exchange'
import type { InstanceState } from '../cloud/function-host/function-host'
import { type Signature, verifySignature } from './signature'
import { type SentIds, sentIn, Traces } from './traces'

/** A request of a trace, with no more than the beginnings of its bodies. */
export type SeenExchange = Exchange & {
  trace: string
  signature?: Signature
  /** Of a backend's request that brings a message or an event. */
  sent?: SentIds
  /** It delivers a message for which a delivery has ended before, or is made within another call. */
  isRedelivery?: boolean
}

/** A message of a conversation, and what became of it. */
export type SeenMessage = Pick<Message, 'id' | 'createdAt' | 'type' | 'direction'> & {
  trace: string
  payload?: Message['payload']
  /** In the place of a payload that is too long to be shown at once: the beginning of its JSON. */
  payloadBeginning?: { text: string; omitted: number }
  /** The beginning of what is written in it, where it has a text. */
  text?: string
  /** External; Botpress's own where the backend has none for it. */
  conversationId: string
  /** External, of the messages that a backend sent. */
  messageId?: string
  /** How the last one ended. Absent while it has not. */
  delivery?: { error?: string }
  /** What the integration has marked it as: `failed`, or `unknown` where it may have arrived; `late` once that is over. */
  mark?: string
}

export type WireEvent =
  | { kind: 'exchange'; exchange: SeenExchange }
  | { kind: 'message'; message: SeenMessage }
  | { kind: 'instances'; instances: InstanceState[] }

type WireEvents = { event: [WireEvent]; reset: [] }

/** As many characters of a body are sent to a page before somebody asks for all of it. */
const SHOWN_LENGTH = 20_000

/** As many of a text are enough to know a message by. */
const TEXT_LENGTH = 200

const MAX_EXCHANGES = 2000
const MAX_MESSAGES = 1000
/** Of all bodies together. */
const MAX_CHARACTERS = 64 * 1024 * 1024

/** What has gone over the wire, the last 2,000 exchanges and the last 1,000 messages, and what goes over it now. */
export class Wire extends EventEmitter<WireEvents> {
  private traces = new Traces()
  /** With their bodies whole. */
  private readonly exchanges = new Map<string, SeenExchange>()
  private characters = 0
  private readonly messages = new Map<string, SeenMessage>()
  private instances: InstanceState[] = []

  /** @param signingSecrets those that are configured, with white space between them */
  constructor(cloud: CloudEvents, signingSecrets: () => string) {
    super()
    // One of each page that is open.
    this.setMaxListeners(0)
    cloud.on('exchange', (exchange) => {
      const trace = this.traces.ofExchange(exchange)
      const known = this.exchanges.get(exchange.id) ?? this.learn(exchange, signingSecrets())
      const { signature, sent, isRedelivery } = known
      this.putExchange({ ...exchange, trace, signature, sent, isRedelivery })
    })
    cloud.on('message', (message, conversation, answered) => {
      const { id, createdAt, type, payload, direction, tags } = message
      this.putMessage({
        id,
        trace: this.traces.ofMessage(message, conversation, answered),
        createdAt,
        type,
        payload,
        ...(typeof payload['text'] === 'string' && { text: payload['text'].slice(0, TEXT_LENGTH) }),
        direction,
        conversationId: conversation.tags['id'] ?? conversation.id,
        messageId: direction === 'incoming' ? tags['id'] : undefined,
      })
    })
    cloud.on('delivery', ({ message, error }) => this.changeMessage(message.id, { delivery: { error } }))
    cloud.on('tags', ({ id, tags }) => {
      const before = this.messages.get(id)?.mark
      const mark = tags['delivery'] ?? (before && 'late')
      if (mark !== before) this.changeMessage(id, { mark })
    })
    cloud.on('reset', () => {
      this.traces = new Traces()
      this.exchanges.clear()
      this.messages.clear()
      this.characters = 0
      this.emit('reset')
    })
    cloud.on('instances', (instances) => {
      this.instances = instances
      this.emit('event', { kind: 'instances', instances })
    })
  }

  /** All there is, in the order of its beginning. */
  get events(): WireEvent[] {
    const all = [
      ...[...this.exchanges.values()].map((exchange) => ({ at: exchange.at, event: exchangeEvent(exchange) })),
      ...[...this.messages.values()].map((message) => ({
        at: Date.parse(message.createdAt),
        event: messageEvent(message),
      })),
    ]
    const inOrder = all.toSorted((a, b) => a.at - b.at).map(({ event }) => event)
    return [...inOrder, { kind: 'instances', instances: this.instances }]
  }

  /** With its bodies whole. */
  exchange(id: string): SeenExchange | undefined {
    return this.exchanges.get(id)
  }

  /** With its payload whole. */
  message(id: string): SeenMessage | undefined {
    return this.messages.get(id)
  }

  /** What is known of an exchange from its beginning. */
  private learn(exchange: Exchange, secrets: string): Pick<SeenExchange, 'signature' | 'sent' | 'isRedelivery'> {
    const { from, to, url, call, requestHeaders, requestBody } = exchange
    if (from === 'backend') return { sent: sentIn(url, requestBody) }
    if (to !== 'endpoint') return {}
    const message = this.messages.get(String(requestHeaders['webhook-id']))
    const isRedelivery = message !== undefined && (message.delivery !== undefined || call !== message.id)
    return { signature: verifySignature(exchange, secrets), ...(isRedelivery && { isRedelivery }) }
  }

  private putExchange(exchange: SeenExchange): void {
    const before = this.exchanges.get(exchange.id)
    if (before) this.characters -= charactersOf(before)
    this.exchanges.set(exchange.id, exchange)
    this.characters += charactersOf(exchange)
    for (const [id, oldest] of this.exchanges) {
      if (this.exchanges.size <= MAX_EXCHANGES && this.characters <= MAX_CHARACTERS) break
      this.exchanges.delete(id)
      this.characters -= charactersOf(oldest)
    }
    this.emit('event', exchangeEvent(exchange))
  }

  private putMessage(message: SeenMessage): void {
    this.messages.set(message.id, message)
    const [oldest] = this.messages.keys()
    if (this.messages.size > MAX_MESSAGES) this.messages.delete(oldest!)
    this.emit('event', messageEvent(message))
  }

  private changeMessage(id: string, changes: Partial<SeenMessage>): void {
    const seen = this.messages.get(id)
    if (seen) this.putMessage({ ...seen, ...changes })
  }
}

const charactersOf = ({ requestBody = '', responseBody = '' }: Exchange): number =>
  requestBody.length + responseBody.length

const exchangeEvent = (exchange: SeenExchange): WireEvent => ({
  kind: 'exchange',
  exchange: { ...exchange, ...shortened(exchange, SHOWN_LENGTH) },
})

const messageEvent = ({ payload, ...message }: SeenMessage): WireEvent => {
  const payloadBeginning = beginningOf(JSON.stringify(payload), SHOWN_LENGTH)
  const shown = payloadBeginning.omitted > 0 ? { payloadBeginning } : { payload }
  return { kind: 'message', message: { ...message, ...shown } }
}
