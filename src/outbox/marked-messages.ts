import type { Message } from '@botpress/client'
import { BotpressFailure } from '../botpress/botpress-failure'

type Query = { conversationId?: string; nextToken?: string }

/** Lists a page of the messages that have a mark, newest first. */
export type ListMarked = (query: Query) => Promise<{ messages: Message[]; meta: { nextToken?: string } }>

export type Wanted = {
  /** Botpress's id. Without it: all conversations. */
  conversationId?: string
  /** Older messages are left out (ISO 8601). */
  since?: string
  /** Messages of a lower rank come first, over all conversations; those without one are left out. */
  rankOf: (message: Message) => number | undefined
  /** After that, no more pages are listed for a rank of which nothing was found; in milliseconds since 1970. */
  lookUntil?: number
}

/** Of one conversation, 1,000 messages are put in order at a time. */
const MAX_PAGES = 50

/**
 * Yields marked messages, each once: conversation by conversation, in each the oldest first. Only the list of one
 * conversation is held, as nobody can see the order between two.
 *
 * @throws what `list` throws
 */
export async function* markedMessages(
  list: ListMarked,
  { conversationId, since = '', rankOf, lookUntil = Infinity }: Wanted
) {
  const seen = new Set<string>()

  async function* pages(query: Query): AsyncGenerator<Message[]> {
    let nextToken: string | undefined
    do {
      const { messages, meta } = await list({ ...query, nextToken })
      const young = messages.filter(({ createdAt }) => createdAt >= since)
      yield young
      nextToken = young.length < messages.length ? undefined : meta.nextToken
    } while (nextToken !== undefined)
  }

  const listConversation = async (id: string): Promise<Message[]> => {
    const all: Message[] = []
    let count = 0
    for await (const page of pages({ conversationId: id })) {
      all.push(...page)
      if (++count === MAX_PAGES) break
    }
    return all
  }

  let next: number | undefined = 0
  while (next !== undefined) {
    const rank: number = next
    const isNew = (message: Message) => !seen.has(message.id) && (rankOf(message) ?? Infinity) <= rank
    let foundAny: boolean
    // A list shrinks when marks are removed, and a page's token may skip what moved up: look until there is nothing new.
    do {
      foundAny = false
      next = undefined
      for await (const page of pages({ conversationId })) {
        const found = page.filter(isNew)
        foundAny ||= found.length > 0
        for (const id of new Set(found.map((message) => message.conversationId))) {
          const ofPage = found.filter((message) => message.conversationId === id)
          const all = await listConversation(id).catch((thrown) => {
            // It was deleted, or cannot be read.
            if (BotpressFailure.in(thrown)?.isTemporary === false) return ofPage
            throw thrown
          })
          const wanted = all.filter(isNew).reverse()
          for (const message of [...ofPage, ...wanted]) seen.add(message.id)
          yield* wanted
        }
        for (const message of page.filter(({ id }) => !seen.has(id))) {
          const other = rankOf(message)
          if (other !== undefined) next = Math.min(next ?? other, other)
        }
        if (next !== undefined && Date.now() >= lookUntil) break
      }
    } while (foundAny)
  }
}
