import type { Message } from '@botpress/client'

type Page = { messages: Message[]; nextToken?: string }

export type OldestFirstOptions = {
  /** Gets a page of one of Botpress's lists, the newest message first. */
  list: (nextToken?: string) => Promise<Page>
  /** Whether a message was given out, or is older than what is wanted: so are all that follow it in the list. */
  isPassed: (message: Message) => boolean
  /** How long it looks for older ones: in milliseconds since 1970. */
  lookUntil: number
}

/**
 * Goes through one of Botpress's lists, which have the newest message first, from the oldest one on. It goes to the end of
 * the list, and back from there: each page but the oldest is asked for twice, and of those in between, only their tokens
 * are held.
 */
export class OldestFirst {
  /** How many messages it has seen and not given out. */
  waiting = 0
  /** Whether it has seen the oldest. */
  hasSeenAll = true

  constructor(private readonly options: OldestFirstOptions) {}

  /** What is not passed, page by page. What has changed on a page since it was seen is as it is now. */
  async *pages(): AsyncGenerator<Message[]> {
    for (;;) {
      const { first, older, oldest } = await this.findOldest()
      this.waiting = [first, ...older].reduce((sum, { count }) => sum + count, 0)
      this.waiting -= (older.pop() ?? first).count
      yield oldest.reverse()
      if (oldest.length === 0 || this.waiting === 0) return
      for (const { token, count } of older.reverse()) {
        const { messages } = await this.look(token)
        this.waiting -= count
        yield messages.reverse()
      }
      // The first page has no token: what was added meanwhile has moved it, and is looked for with it.
    }
  }

  /** The oldest page with messages that are not passed, and how many there are on the pages from the first one to it. */
  private async findOldest() {
    const { messages, nextToken } = await this.look(undefined)
    const first = { count: messages.length }
    const older: { token: string; count: number }[] = []
    let oldest = messages
    for (let token = nextToken; token !== undefined;) {
      if (Date.now() >= this.options.lookUntil) {
        this.hasSeenAll = false
        break
      }
      const page = await this.look(token)
      if (page.messages.length > 0) {
        older.push({ token, count: page.messages.length })
        oldest = page.messages
      }
      token = page.nextToken
    }
    return { first, older, oldest }
  }

  /** The messages of a page that are not passed, and the token of the next page, where it may have some. */
  private async look(token: string | undefined): Promise<Page> {
    const { messages, nextToken } = await this.options.list(token)
    const wanted = messages.filter((message) => !this.options.isPassed(message))
    return { messages: wanted, nextToken: wanted.length === messages.length ? nextToken : undefined }
  }
}
