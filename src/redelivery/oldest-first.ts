import type { Message } from '@botpress/client'

type Page = { messages: Message[]; nextToken?: string }

export type OldestFirstOptions = {
  /** Gets a page of one of Botpress's lists, the newest message first. */
  list: (nextToken?: string) => Promise<Page>
  /** Whether a message is to be given out: never again one that was. */
  isWanted: (message: Message) => boolean
  /** Whether a message, and with it all that follow it in the list, is older than what is wanted. */
  isTooOld: (message: Message) => boolean
  /** How long it looks for older ones: in milliseconds since 1970. */
  lookUntil: number
}

/**
 * Goes through one of Botpress's lists, which have the newest message first, from the oldest one on. It goes to the end of
 * the list, and back from there: each page but the oldest is asked for twice, and of those in between, only their tokens
 * are held.
 */
export class OldestFirst {
  /** How many messages it has seen on its way to the first one that it gave out, and did not want. */
  skipped = 0
  /** How many it has seen, wanted, and not given out. */
  waiting = 0
  /** Whether there may be others that it has not seen. */
  isCut = false

  constructor(private readonly options: OldestFirstOptions) {}

  /** What is wanted, page by page. What has changed on a page since it was seen is as it is now. */
  async *pages(): AsyncGenerator<Message[]> {
    for (let round = 1; ; round++) {
      const { first, older, oldest, skipped } = await this.findOldest()
      if (round === 1) this.skipped = skipped
      this.waiting = [first, ...older].reduce((sum, { count }) => sum + count, 0)
      this.waiting -= (older.pop() ?? first).count
      yield oldest.reverse()
      if (this.waiting === 0) return
      for (const { token, count } of older.reverse()) {
        const { wanted } = await this.look(token)
        this.waiting -= count
        yield wanted.reverse()
      }
      // The first page has no token: what was added meanwhile has moved it, and is looked for with it.
    }
  }

  /** The oldest page with something wanted, and how much of it there is on the pages from the first one to it. */
  private async findOldest() {
    const { wanted, skipped, nextToken } = await this.look(undefined)
    const found = {
      first: { count: wanted.length },
      older: [] as { token: string; count: number }[],
      oldest: wanted,
      skipped,
    }
    this.isCut = false
    for (let token = nextToken; token !== undefined;) {
      if (Date.now() >= this.options.lookUntil) {
        this.isCut = true
        break
      }
      const page = await this.look(token)
      found.skipped += page.skipped
      if (page.wanted.length > 0) {
        found.older.push({ token, count: page.wanted.length })
        found.oldest = page.wanted
      }
      token = page.nextToken
    }
    return found
  }

  private async look(token: string | undefined) {
    const { messages, nextToken } = await this.options.list(token)
    const young = messages.filter((message) => !this.options.isTooOld(message))
    const wanted = young.filter((message) => this.options.isWanted(message))
    return {
      wanted,
      skipped: young.length - wanted.length,
      nextToken: young.length === messages.length ? nextToken : undefined,
    }
  }
}
