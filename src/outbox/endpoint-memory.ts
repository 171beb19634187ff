import QuickLRU from 'quick-lru'
import type { Installation } from '../botpress/client'
import { keyWithin } from '../botpress/remembered'
import { EndpointFailure } from '../endpoint/endpoint-failure'

/** For that long after a failure, an endpoint is taken to be down. */
const DOWN_MS = 60_000

/** Other instances may have left failed messages, so this one looks now and then anyway. */
const LOOK_INTERVAL_MS = 5 * 60_000

/** If this instance has seen a failure since its last look. */
const SHORT_LOOK_INTERVAL_MS = 30_000

/** After that the call of a message is over, whoever made it. */
const GIVEN_UP_MS = 45_000

/** Between as many as this and twice as many are kept. */
const MAX_SIZE = 500

const memories = new QuickLRU<string, EndpointMemory>({ maxSize: MAX_SIZE })

/** What this instance knows of an endpoint. It may be lost at any time: it only saves tries and looks at the outbox. */
export class EndpointMemory {
  private downUntil = 0
  private lookedAt = 0
  private nextLookAt = 0
  private readonly givenUp = new QuickLRU<string, true>({ maxSize: MAX_SIZE, maxAge: GIVEN_UP_MS })

  static of(installation: Installation, url: URL): EndpointMemory {
    const key = keyWithin(installation, url.href)
    const memory = memories.get(key) ?? new EndpointMemory()
    memories.set(key, memory)
    return memory
  }

  /** Whether the last delivery failed less than a minute ago, for a reason that may pass. */
  get isDown(): boolean {
    return Date.now() < this.downUntil
  }

  /** The endpoint took a message. */
  took(): void {
    this.downUntil = 0
  }

  /** All tries of a message have failed. */
  gaveUp(messageId: string, failure: unknown): void {
    const isTemporary = failure instanceof EndpointFailure && failure.details.isTemporary
    this.downUntil = isTemporary ? Date.now() + DOWN_MS : 0
    this.givenUp.set(messageId, true)
    this.lookSoon()
  }

  /** Whether this instance gave a message up in the last 45 s: it is in no call's retries any more. */
  hasGivenUp(messageId: string): boolean {
    return this.givenUp.has(messageId)
  }

  /** Whether it is time to look for failed messages. If so, the next look is due in five minutes. */
  beginLook(): boolean {
    if (Date.now() < this.nextLookAt) return false
    this.lookedAt = Date.now()
    this.nextLookAt = this.lookedAt + LOOK_INTERVAL_MS
    return true
  }

  /** The next look is due 30 s after the last one. */
  lookSoon(): void {
    this.nextLookAt = Math.min(this.nextLookAt, this.lookedAt + SHORT_LOOK_INTERVAL_MS)
  }

  lookAtOnce(): void {
    this.nextLookAt = 0
  }
}
