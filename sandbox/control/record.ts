import { EventEmitter } from 'node:events'
import { eventInputOf } from '../bot/bot'
import type { CloudEvents } from '../cloud/cloud-events'
import type { Exchange } from '../cloud/exchange'

/** A message or an event that the bot has received, with the ids that the backend chose. */
export type Received = {
  kind: 'message' | 'event'
  type: string
  payload: object
  conversationId?: string
  userId?: string
  messageId?: string
  eventId?: string
}

/** A message of the bot, and what became of it. */
export type RecordedDelivery = {
  botpressMessageId: string
  conversationId?: string
  type: string
  payload: object
  /** `delivered`, or the mark of one that is not; absent while its first delivery has not ended. */
  outcome?: string
  /** Why it was not delivered, in the integration's words. */
  error?: string
  /** The requests to the endpoint, with their statuses, or why there was none. */
  tries: { status?: number; error?: string; ms: number }[]
}

type Entry = Omit<RecordedDelivery, 'outcome' | 'tries'> & {
  hasEnded: boolean
  mark?: string
  tries: Map<string, RecordedDelivery['tries'][number]>
}

/** How long is waited at most, and if nothing is said. */
export const MAX_WAIT_SECONDS = 30

/** Older ones are dropped. */
const MAX_ENTRIES = 10_000

/** Of which there should be `count`, in a conversation or in all; `waitSeconds` are 30 if nothing is said. */
export type Wanted = { conversationId?: string; count?: number; waitSeconds?: number }

/** What the bot has received, and what became of what it said, since the start or the last reset. Oldest first. */
export class CloudRecord extends EventEmitter<{ change: []; close: [] }> {
  private received: Received[] = []
  private readonly deliveries = new Map<string, Entry>()

  /** @param externalUserId tells the id that the backend gave a user */
  constructor(events: CloudEvents, externalUserId: (id: string) => string | undefined) {
    super()
    this.setMaxListeners(0)
    events.on('message', ({ id, type, payload, direction, tags, userId }, conversation) => {
      const conversationId = conversation.tags['id']
      if (direction === 'outgoing') {
        const entry = { botpressMessageId: id, conversationId, type, payload, hasEnded: false }
        this.deliveries.set(id, { ...entry, tries: new Map() })
        if (this.deliveries.size > MAX_ENTRIES) this.deliveries.delete([...this.deliveries.keys()][0]!)
      } else {
        const ids = { conversationId, userId: externalUserId(userId), messageId: tags['id'] }
        this.addReceived({ kind: 'message', type, payload, ...ids })
      }
      this.emit('change')
    })
    events.on('event', (told) => {
      const { event, ...input } = eventInputOf(told)
      this.addReceived({ kind: 'event', ...input, ...event })
      this.emit('change')
    })
    events.on('exchange', (exchange) => this.addTry(exchange))
    events.on('tags', ({ id, tags }) => this.changeDelivery(id, { mark: tags['delivery'] }))
    events.on('delivery', ({ message, error }) => this.changeDelivery(message.id, { hasEnded: true, error }))
  }

  /** Waits until so many were received. */
  async receivedOnes({ conversationId, ...wanted }: Wanted): Promise<Received[]> {
    return structuredClone(await this.until(wanted, () => this.received.filter((one) => isOf(conversationId, one))))
  }

  /** Waits until so many deliveries have ended. */
  async deliveriesOf({ conversationId, ...wanted }: Wanted): Promise<RecordedDelivery[]> {
    const all = () => [...this.deliveries.values()].filter((one) => isOf(conversationId, one))
    await this.until(wanted, () => all().filter(({ hasEnded }) => hasEnded))
    return all().map(recordedOf)
  }

  get counts() {
    return { received: this.received.length, deliveries: this.deliveries.size }
  }

  clear(): void {
    this.received = []
    this.deliveries.clear()
    this.emit('change')
  }

  /** Ends what is waited for: it will not come. */
  close(): void {
    this.emit('close')
  }

  private addReceived(one: Received): void {
    this.received.push(one)
    if (this.received.length > MAX_ENTRIES) this.received.shift()
  }

  private addTry({ id, to, requestHeaders, status, error, durationMs }: Exchange): void {
    const entry = this.deliveries.get(String(requestHeaders['webhook-id']))
    if (to !== 'endpoint' || !entry || durationMs === undefined) return
    entry.tries.set(id, { status, error, ms: durationMs })
    this.emit('change')
  }

  private changeDelivery(id: string, changes: Partial<Entry>): void {
    const entry = this.deliveries.get(id)
    if (!entry) return
    // A redelivery has delivered it after all.
    const isUnmarked = entry.mark !== undefined && 'mark' in changes && changes.mark === undefined
    Object.assign(entry, changes, isUnmarked && { error: undefined })
    this.emit('change')
  }

  private async until<T>(
    { count = 0, waitSeconds = count > 0 ? MAX_WAIT_SECONDS : 0 }: Omit<Wanted, 'conversationId'>,
    find: () => T[]
  ): Promise<T[]> {
    if (find().length >= count || waitSeconds === 0) return find()
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer)
        this.off('change', look).off('close', finish)
        resolve(find())
      }
      const look = () => {
        if (find().length >= count) finish()
      }
      const timer = setTimeout(finish, Math.min(waitSeconds, MAX_WAIT_SECONDS) * 1000)
      this.on('change', look).on('close', finish)
    })
  }
}

const recordedOf = ({ hasEnded, mark, tries, error, ...delivery }: Entry): RecordedDelivery => ({
  ...structuredClone(delivery),
  ...(hasEnded && { outcome: mark ?? (error === undefined ? 'delivered' : 'failed'), error }),
  tries: [...tries.values()],
})

const isOf = (wanted: string | undefined, { conversationId }: { conversationId?: string }): boolean =>
  wanted === undefined || conversationId === wanted
