import QuickLRU from 'quick-lru'
import type { Installation } from './caller'
import { REMEMBERED_MS } from '../time-limits'

/** In characters of JSON. Larger entries, such as a user whose picture is in its URL, are looked up each time. */
const MAX_ENTRY_SIZE = 2000

/**
 * What an instance remembers of Botpress between calls, bounded in number, size and age. It may be lost at any time. It lets
 * nobody in: Botpress checks each caller's own token.
 */
export class Remembered<T> {
  private readonly entries: QuickLRU<string, T>

  constructor({ maxSize }: { maxSize: number }) {
    // Between maxSize and twice as many are kept.
    this.entries = new QuickLRU({ maxSize: maxSize / 2, maxAge: REMEMBERED_MS })
  }

  /** @param id unique within the installation */
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

/** A key for an id that is unique within an installation. */
export const keyWithin = ({ botId, integrationId, webhookId }: Installation, id: string): string =>
  JSON.stringify([botId, integrationId, webhookId, id])
