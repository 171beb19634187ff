import QuickLRU from 'quick-lru'
import type { Installation } from './caller'
import { REMEMBERED_MS } from '../time-limits'

/** In characters of JSON: what is larger, such as a user with a picture in its URL, is looked up each time. */
const MAX_ENTRY_SIZE = 2000

/**
 * What an instance of the integration remembers between calls, bounded in number, size and age. It may be lost at any time,
 * and is only ever a shortcut: whether a caller may come in is for Botpress to say, on a call with the caller's own token.
 */
export class Remembered<T extends object> {
  private readonly entries: QuickLRU<string, T>

  constructor({ maxSize }: { maxSize: number }) {
    // Between maxSize and twice as many are kept.
    this.entries = new QuickLRU({ maxSize: maxSize / 2, maxAge: REMEMBERED_MS })
  }

  /** @param id what it is known by within the installation */
  get(installation: Installation, id: string): T | undefined {
    return this.entries.get(keyWithin(installation, id))
  }

  set(installation: Installation, id: string, entry: T): T {
    const key = keyWithin(installation, id)
    if (JSON.stringify(entry).length <= MAX_ENTRY_SIZE) this.entries.set(key, entry)
    else this.entries.delete(key)
    return entry
  }

  forget(installation: Installation, id: string): void {
    this.entries.delete(keyWithin(installation, id))
  }
}

/** A key for what is known by an id within an installation. */
export const keyWithin = ({ botId, integrationId, webhookId }: Installation, id: string): string =>
  JSON.stringify([botId, integrationId, webhookId, id])
