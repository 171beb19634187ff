import QuickLRU from 'quick-lru'

const MAX_AGE_MS = 5 * 60_000

/**
 * What an instance of the integration remembers between calls, bounded in number and age. It may be lost at any time, and
 * is only ever a shortcut: whether a caller may come in is for Botpress to say, on a call with the caller's own token.
 */
export class Remembered<T extends object> {
  private readonly entries: QuickLRU<string, T>

  constructor({ maxSize }: { maxSize: number }) {
    this.entries = new QuickLRU({ maxSize, maxAge: MAX_AGE_MS })
  }

  /** @param key what the entry belongs to, complete: the bot and the integration too */
  get(key: readonly string[]): T | undefined {
    return this.entries.get(JSON.stringify(key))
  }

  set(key: readonly string[], entry: T): T {
    this.entries.set(JSON.stringify(key), entry)
    return entry
  }

  forget(key: readonly string[]): void {
    this.entries.delete(JSON.stringify(key))
  }
}
