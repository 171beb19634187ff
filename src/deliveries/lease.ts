import type { Message } from '@botpress/client'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DeliveryTags } from './mark'

/** So long after it was taken, its holder is taken to have ended without a word. */
const LEASE_MS = 20_000

/** Within it, those who try to take a lease at the same time have all done so. */
const RACE_MS = 250

/** Botpress, as a lease needs it. */
export type LeaseProps = {
  tag: (id: string, tags: DeliveryTags) => Promise<unknown>
  getMessage: (id: string) => Promise<Pick<Message, 'tags'>>
  raceMs?: number
}

/**
 * What keeps instances that find the same messages at the same time from delivering each of them once more. It is a tag of the
 * last message of the page that is worked on. Botpress compares nothing when it writes: whose tag stands a moment after
 * the first page's was written has the lease.
 */
export class Lease {
  private readonly holder = randomUUID()
  private isProven = false
  private messageId: string | undefined

  constructor(private readonly props: LeaseProps) {}

  /**
   * Takes the lease of a page of messages.
   *
   * @param isPatient takes it from nobody
   * @returns until when another has it, in milliseconds since 1970; `undefined` where nobody else has it
   */
  async take(messages: Message[], isPatient: boolean): Promise<number | undefined> {
    const others = isPatient ? this.othersUntil(messages) : undefined
    if (others !== undefined) return others
    this.messageId = messages.at(-1)!.id
    const until = new Date(Date.now() + LEASE_MS).toISOString()
    await this.props.tag(this.messageId, { redelivery: `${until} ${this.holder}` })
    if (!isPatient || this.isProven) return undefined
    await sleep(this.props.raceMs ?? RACE_MS)
    const winner = this.othersUntil([await this.props.getMessage(this.messageId)])
    if (winner === undefined) this.isProven = true
    else this.messageId = undefined
    return winner
  }

  /** Gives back what was taken last. */
  async release(): Promise<void> {
    if (this.messageId !== undefined) await this.props.tag(this.messageId, { redelivery: '' })
    this.messageId = undefined
  }

  /** The message that holds the lease is delivered, and has no tags any more. */
  forget(id: string): void {
    if (this.messageId === id) this.messageId = undefined
  }

  private othersUntil(messages: Pick<Message, 'tags'>[]): number | undefined {
    return messages
      .map(({ tags }) => (tags['redelivery'] ?? '').split(' '))
      .filter(([, holder]) => holder !== this.holder)
      .map(([until = '']) => Date.parse(until))
      .find((until) => until > Date.now())
  }
}
