import QuickLRU from 'quick-lru'
import type { Installation } from '../botpress/caller'
import { keyWithin } from '../botpress/remembered'
import { isToCome } from '../clock'
import { EndpointFailure } from '../endpoint/endpoint-failure'
import { CALL_MS, DOWN_MS, LOOK_INTERVAL_AFTER_FAILURE_MS, LOOK_INTERVAL_MS } from '../time-limits'

/** QuickLRU keeps up to twice as many. */
const MAX_SIZE = 500

const memories = new QuickLRU<string, EndpointMemory>({ maxSize: MAX_SIZE })

/** What this instance remembers of an endpoint. It may be lost at any time: it only saves needless tries and looks. */
export class EndpointMemory {
  private downUntil = 0
  private lookedAt = 0
  private nextLookAt = 0
  private readonly givenUp = new QuickLRU<string, true>({ maxSize: MAX_SIZE, maxAge: CALL_MS })

  static of(installation: Installation, url: URL): EndpointMemory {
    const key = keyWithin(installation, url.href)
    const memory = memories.get(key) ?? new EndpointMemory()
    memories.set(key, memory)
    return memory
  }

  /** Whether the last delivery failed less than a minute ago, for a temporary reason. */
  get isDown(): boolean {
    return isToCome(this.downUntil, DOWN_MS)
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

  /** Whether this instance gave a message up in the last 45 s, so that no call is still trying it. */
  hasGivenUp(messageId: string): boolean {
    return this.givenUp.has(messageId)
  }

  /** Whether a look for failed messages is due. If so, the next one is due in five minutes. */
  beginLook(): boolean {
    if (isToCome(this.nextLookAt, LOOK_INTERVAL_MS)) return false
    this.lookedAt = Date.now()
    this.nextLookAt = this.lookedAt + LOOK_INTERVAL_MS
    return true
  }

  /** The next look is due 30 s after the last one. */
  lookSoon(): void {
    this.nextLookAt = Math.min(this.nextLookAt, this.lookedAt + LOOK_INTERVAL_AFTER_FAILURE_MS)
  }

  lookAtOnce(): void {
    this.nextLookAt = 0
  }
}
