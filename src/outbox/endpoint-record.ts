import QuickLRU from 'quick-lru'
import type { Installation } from '../botpress/client'
import { keyWithin } from '../botpress/remembered'

/** That long after a failure, an endpoint is taken to be down still. */
const DOWN_MS = 60_000

/** Between as many as this and half of it are kept. */
const MAX_RECORDS = 1000

const records = new QuickLRU<string, EndpointRecord>({ maxSize: MAX_RECORDS / 2 })

/** What this instance knows of an endpoint. It may be lost at any time: it only saves tries and looks. */
export class EndpointRecord {
  /** When the last delivery failed, where its cause may pass. */
  private failedAt = -Infinity
  /** Whether a delivery has failed since the last redelivery. */
  hasFailed = false
  /** Whether the last redelivery has not come to its end. */
  isUnfinished = false
  /** When it was last looked for all that has failed. */
  lookedAt = -Infinity
  /** Until when it is not looked for what has failed. */
  resumeAt = -Infinity
  /** Ids of messages that were redelivered in vain since. */
  readonly triedInVain = new Set<string>()
  /** Ids of messages that were delivered, and whose mark could not be removed. */
  readonly stillMarked = new Set<string>()

  static of(installation: Installation, url: URL): EndpointRecord {
    const key = keyWithin(installation, url.href)
    const record = records.get(key) ?? new EndpointRecord()
    records.set(key, record)
    return record
  }

  /** The endpoint has been repaired: all that has failed is to be tried again. */
  startAnew(): void {
    this.isDown = false
    this.lookedAt = -Infinity
    this.resumeAt = -Infinity
    this.isUnfinished = false
  }

  get isDown(): boolean {
    return Date.now() - this.failedAt < DOWN_MS
  }

  set isDown(isDown: boolean) {
    this.failedAt = isDown ? Date.now() : -Infinity
  }
}
