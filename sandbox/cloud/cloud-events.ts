import type { Conversation, Event, Message } from '@botpress/client'
import { EventEmitter } from 'node:events'
import type { Exchange } from './exchange'
import type { InstanceState } from './function-host/function-host'

/** What the bot may answer. */
export type Incoming = Message | Event

/** A message of the bot and what became of it. */
export type Delivery = {
  message: Message
  /** Why the integration could not deliver it, where it could not. */
  error?: string
}

type Events = {
  /** A message is in its conversation; the last is what the bot answers with it, where it is one of the bot. */
  message: [Message, Conversation, Incoming?]
  /** The integration has told the bot of an event. */
  event: [Event]
  /** The tags of a message have been changed. */
  tags: [Message]
  /** The integration is done with a message of the bot. */
  delivery: [Delivery]
  /** A request has begun, or the one of that id is answered. */
  exchange: [Exchange]
  /** An instance of the integration has started, is at work or no longer, or has ended: those that there are. */
  instances: [InstanceState[]]
  /** Everything was forgotten. */
  reset: []
  /** A line that the integration has logged. */
  log: [string]
}

export type EventListeners = {
  onMessage?: (...message: Events['message']) => void
  onDelivery?: (...delivery: Events['delivery']) => void
  onExchange?: (...exchange: Events['exchange']) => void
  onLog?: (...line: Events['log']) => void
}

/** What happens in the cloud, for whoever watches it. */
export class CloudEvents extends EventEmitter<Events> {
  constructor({ onMessage, onDelivery, onExchange, onLog }: EventListeners = {}) {
    super()
    if (onMessage) this.on('message', onMessage)
    if (onDelivery) this.on('delivery', onDelivery)
    if (onExchange) this.on('exchange', onExchange)
    if (onLog) this.on('log', onLog)
  }
}
