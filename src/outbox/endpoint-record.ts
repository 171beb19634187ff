import QuickLRU from 'quick-lru'
import type { Installation } from '../botpress/client'
import { keyWithin } from '../botpress/remembered'
import { EndpointFailure } from '../endpoint/endpoint-failure'
import { markAfter } from './mark'

/** For that long after a failure, an endpoint is taken to be down. */
const DOWN_MS = 60_000

/** Other instances may have left failed messages, so this one looks now and then anyway. */
const LOOK_INTERVAL_MS = 5 * 60_000

/** If this instance has seen a failure since its last look. */
const SHORT_LOOK_INTERVAL_MS = 30_000

/** Between as many as this and half of it are kept. */
const MAX_GIVEN_UP = 1000

/** After that the call of a message is over, whoever made it. */
const GIVEN_UP_MS = 45_000

/** Between as many as this and half of it are kept. */
const MAX_RECORDS = 1000

const records = new QuickLRU<string, EndpointRecord>({ maxSize: MAX_RECORDS / 2 })

/** What this instance knows of an endpoint. It may be lost at any time: it only saves tries and looks at the outbox. */
export class EndpointRecord {
  private downAt = -Infinity
  private lookedAt = -Infinity
  private hasFailed = false
  private readonly givenUp = new QuickLRU<string, true>({ maxSize: MAX_GIVEN_UP / 2, maxAge: GIVEN_UP_MS })

  static of(installation: Installation, url: URL): EndpointRecord {
    const key = keyWithin(installation, url.href)
    const record = records.get(key) ?? new EndpointRecord()
    records.set(key, record)
    return record
  }

  /** Whether the last delivery failed less than a minute ago, for a reason that may pass. */
  get isDown(): boolean {
    return Date.now() - this.downAt < DOWN_MS
  }

  /** Whether it is time to look for failed messages. */
  get isLookDue(): boolean {
    const passedMs = Date.now() - this.lookedAt
    return passedMs >= LOOK_INTERVAL_MS || (this.hasFailed && passedMs >= SHORT_LOOK_INTERVAL_MS)
  }

  /** The endpoint took a message. */
  took(): void {
    this.downAt = -Infinity
  }

  /** All tries of a message have failed. */
  gaveUp(messageId: string, failure: unknown): void {
    this.downAt = failure instanceof EndpointFailure && failure.details.isTemporary ? Date.now() : -Infinity
    if (markAfter(failure) === 'unknown') return
    this.hasFailed = true
    this.givenUp.set(messageId, true)
  }

  /** Whether this instance gave a message up in the last 45 s: it is in no call's retries any more. */
  hasGivenUp(messageId: string): boolean {
    return this.givenUp.has(messageId)
  }

  /** A look begins. */
  looks(): void {
    this.lookedAt = Date.now()
    this.hasFailed = false
  }

  /** Messages still wait after a look: the next one is due in 30 s. */
  leftSome(): void {
    this.hasFailed = true
  }

  /** The next look is due at once. */
  isToLookAtOnce(): void {
    this.lookedAt = -Infinity
  }
}
