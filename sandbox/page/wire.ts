import type { Message } from '@botpress/client'
import { EventEmitter } from 'node:events'
import type { CloudEvents } from '../cloud/cloud-events'
import type { Exchange } from '../cloud/exchange'

/** A message of a conversation, and what became of it. */
export type SeenMessage = Pick<Message, 'id' | 'createdAt' | 'type' | 'payload' | 'direction'> & {
  /** External. */
  conversationId: string
  delivery?: { error?: string }
}

export type WireEvent = { kind: 'exchange'; exchange: Exchange } | { kind: 'message'; message: SeenMessage }

type WireEvents = { event: [WireEvent] }

const LIMIT = 500

/** What has gone over the wire, the last 500 exchanges and the last 500 messages, and what goes over it now. */
export class Wire extends EventEmitter<WireEvents> {
  private readonly exchanges = new Map<string, Exchange>()
  private readonly messages = new Map<string, SeenMessage>()

  constructor(cloud: CloudEvents) {
    super()
    // One of each page that is open.
    this.setMaxListeners(0)
    cloud.on('exchange', (exchange) => this.put({ kind: 'exchange', exchange }))
    cloud.on('message', ({ id, createdAt, type, payload, direction }, conversation) => {
      const conversationId = conversation.tags['id'] ?? conversation.id
      this.put({ kind: 'message', message: { id, createdAt, type, payload, direction, conversationId } })
    })
    cloud.on('delivery', ({ message, error }) => {
      const seen = this.messages.get(message.id)
      if (seen) this.put({ kind: 'message', message: { ...seen, delivery: { error } } })
    })
  }

  /** Each kind in the order of its beginning. */
  get events(): WireEvent[] {
    return [
      ...[...this.exchanges.values()].map((exchange) => ({ kind: 'exchange' as const, exchange })),
      ...[...this.messages.values()].map((message) => ({ kind: 'message' as const, message })),
    ]
  }

  /** Adds what is new, or puts it in the place of what it was before. */
  private put(event: WireEvent): void {
    if (event.kind === 'exchange') keep(this.exchanges, event.exchange)
    else keep(this.messages, event.message)
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
