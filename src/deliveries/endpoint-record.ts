import QuickLRU from 'quick-lru'
import type { Installation } from '../botpress/client'
import { keyWithin } from '../botpress/remembered'
import type { Endpoint } from '../configuration'
import { EndpointFailure } from '../endpoint/endpoint-failure'
import { type Outgoing, type Patience, postMessage } from '../endpoint/post-message'

/** That long after a failure, an endpoint is taken to be down still. */
const DOWN_MS = 60_000

/** Between as many as this and half of it are kept. */
const MAX_RECORDS = 1000

const records = new QuickLRU<string, EndpointRecord>({ maxSize: MAX_RECORDS / 2 })

/** What this instance knows of an endpoint. It may be lost at any time: it only saves tries and looks. */
export class EndpointRecord {
  /** When the last delivery failed, where its cause may pass. */
  private failedAt = -Infinity
  /** Whether there is a message that has failed, and that no redelivery has tried since. */
  hasFailed = false
  /** When all that has failed was last looked for. */
  lookedAt = -Infinity
  /** What is older than this (ISO 8601) has been tried since. */
  triedUpTo = ''

  static of(installation: Installation, url: URL): EndpointRecord {
    const key = keyWithin(installation, url.href)
    const record = records.get(key) ?? new EndpointRecord()
    records.set(key, record)
    return record
  }

  /** Forgets what is known of an endpoint, which may have been repaired. */
  static forget(installation: Installation, url: URL): void {
    records.delete(keyWithin(installation, url.href))
  }

  get isDown(): boolean {
    return Date.now() - this.failedAt < DOWN_MS
  }

  /** Posts a message to the endpoint, and remembers how that went. Takes and throws what `postMessage` does. */
  async post(
    endpoint: Endpoint,
    message: Outgoing,
    patience: Patience,
    onFailedTry?: (failure: EndpointFailure) => void
  ): Promise<void> {
    try {
      await postMessage(endpoint, message, patience, onFailedTry)
      this.failedAt = -Infinity
    } catch (thrown) {
      const isDown = thrown instanceof EndpointFailure && thrown.details.isTemporary
      this.failedAt = isDown ? Date.now() : -Infinity
      throw thrown
    }
  }
}
