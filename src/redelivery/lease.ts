import type { Message } from '@botpress/client'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DeliveryTags } from '../outbox/mark'

/** So long after it was taken, its holder is taken to have ended without a word. */
const LEASE_MS = 20_000

/** An older one is renewed before a try, which may take long. */
const RENEW_AFTER_MS = 5000

/** Within it, or twice as long as the own one took, those who write a lease at the same time have all done so. */
const RACE_MS = 250

/** Botpress, as a lease needs it. */
export type LeaseProps = {
  /** Resolves to whether the tag is written. */
  tag: (id: string, tags: DeliveryTags) => Promise<boolean>
  getMessage: (id: string) => Promise<Pick<Message, 'tags'>>
  /** Whether it leaves to others what they have. */
  isPatient: boolean
}

/**
 * What keeps instances that find the same messages at the same time from delivering each of them once more. It is a tag of the
 * last message of the page that is worked on. Botpress compares nothing when it writes: whose tag stands a moment after
 * the first page's was written has the lease.
 */
export class Lease {
  /** Until when another has one, in milliseconds since 1970. */
  othersUntil: number | undefined
  private readonly holder = randomUUID()
  private isProven = false
  private held: { id: string; at: number } | undefined

  constructor(private readonly props: LeaseProps) {}

  /** Looks for the leases of others among messages. */
  see(messages: Pick<Message, 'tags'>[]): void {
    if (!this.props.isPatient) return
    const untils = messages
      .map(({ tags }) => (tags['redelivery'] ?? '').split(' '))
      .filter(([, holder]) => holder !== this.holder)
      .map(([until = '']) => Date.parse(until))
    this.othersUntil ??= untils.find((until) => until > Date.now())
  }

  /**
   * Takes the lease of a page of messages, unless another was seen to have one.
   *
   * @returns whether nobody else has one
   */
  async take(messages: Message[]): Promise<boolean> {
    const { id } = messages.at(-1)!
    if (this.othersUntil !== undefined) return false
    const start = Date.now()
    const isWritten = await this.write(id)
    if (!this.props.isPatient || this.isProven) return true
    await sleep(Math.max(RACE_MS, 2 * (Date.now() - start)))
    this.see([await this.props.getMessage(id)])
    this.isProven = isWritten && this.othersUntil === undefined
    return this.isProven
  }

  /** To be called before each try. */
  async renew(): Promise<void> {
    if (this.held && Date.now() - this.held.at > RENEW_AFTER_MS) await this.write(this.held.id)
  }

  /** Gives back what was taken last, unless that message has been unmarked. */
  async release(): Promise<void> {
    const { held } = this
    this.held = undefined
    if (held && this.othersUntil === undefined) await this.props.tag(held.id, { redelivery: '' })
  }

  /** The message has no tags any more. */
  forget(id: string): void {
    if (this.held?.id === id) this.held = undefined
  }

  private write(id: string): Promise<boolean> {
    this.held = { id, at: Date.now() }
    const until = new Date(Date.now() + LEASE_MS).toISOString()
    return this.props.tag(id, { redelivery: `${until} ${this.holder}` })
  }
}
