import type { Message } from '@botpress/client'
import { EventEmitter } from 'node:events'
import type { CloudEvents } from '../cloud/cloud-events'
import { beginningOf, type Exchange } from '../cloud/exchange'
import type { InstanceState } from '../cloud/function-host/function-host'

/** A message of a conversation, and what became of it. */
export type SeenMessage = Pick<Message, 'id' | 'createdAt' | 'type' | 'direction'> & {
  payload?: Message['payload']
  /** In the place of a payload that is too long to be kept: the beginning of its JSON. */
  payloadBeginning?: { text: string; omitted: number }
  /** External. */
  conversationId: string
  delivery?: { error?: string }
  /** What the integration has marked it as: `failed`, or `unknown` where it may have arrived; `late` once that is over. */
  mark?: string
}

export type WireEvent =
  | { kind: 'exchange'; exchange: Exchange }
  | { kind: 'message'; message: SeenMessage }
  | { kind: 'instances'; instances: InstanceState[] }

type WireEvents = { event: [WireEvent] }

const LIMIT = 500

/** What has gone over the wire, the last 500 exchanges and the last 500 messages, and what goes over it now. */
export class Wire extends EventEmitter<WireEvents> {
  private readonly exchanges = new Map<string, Exchange>()
  private readonly messages = new Map<string, SeenMessage>()
  private instances: InstanceState[] = []

  constructor(cloud: CloudEvents) {
    super()
    // One of each page that is open.
    this.setMaxListeners(0)
    cloud.on('exchange', (exchange) => this.put({ kind: 'exchange', exchange }))
    cloud.on('message', ({ id, createdAt, type, payload, direction }, conversation) => {
      const conversationId = conversation.tags['id'] ?? conversation.id
      const payloadBeginning = beginningOf(JSON.stringify(payload))
      const shown = payloadBeginning.omitted > 0 ? { payloadBeginning } : { payload }
      this.put({ kind: 'message', message: { id, createdAt, type, direction, conversationId, ...shown } })
    })
    cloud.on('delivery', ({ message, error }) => {
      const seen = this.messages.get(message.id)
      if (seen) this.put({ kind: 'message', message: { ...seen, delivery: { error } } })
    })
    cloud.on('tags', ({ id, tags }) => {
      const seen = this.messages.get(id)
      const mark = tags['delivery'] ?? (seen?.mark && 'late')
      if (seen && mark !== seen.mark) this.put({ kind: 'message', message: { ...seen, mark } })
    })
    cloud.on('instances', (instances) => this.put({ kind: 'instances', instances }))
  }

  /** Each kind in the order of its beginning. */
  get events(): WireEvent[] {
    return [
      ...[...this.exchanges.values()].map((exchange) => ({ kind: 'exchange' as const, exchange })),
      ...[...this.messages.values()].map((message) => ({ kind: 'message' as const, message })),
      { kind: 'instances', instances: this.instances },
    ]
  }

  /** Adds what is new, or puts it in the place of what it was before. */
  private put(event: WireEvent): void {
    if (event.kind === 'exchange') keep(this.exchanges, event.exchange)
    else if (event.kind === 'message') keep(this.messages, event.message)
    else this.instances = event.instances
    this.emit('event', event)
  }
}

const keep = <T extends { id: string }>(kept: Map<string, T>, item: T): void => {
  kept.set(item.id, item)
  for (const oldest of kept.keys()) {
    if (kept.size <= LIMIT) return
    kept.delete(oldest)
  }
}
