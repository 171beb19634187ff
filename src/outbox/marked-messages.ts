import type { Message } from '@botpress/client'
import { BotpressFailure } from '../botpress/botpress-failure'
import { READ_CONVERSATION_MS } from '../time-limits'

/** Lists a page of the messages that have a mark, newest first; those of one conversation, if that is given. */
export type ListMarked = (query: {
  conversationId?: string
  nextToken?: string
}) => Promise<{ messages: Message[]; meta: { nextToken?: string } }>

type Options = {
  /** Botpress's id. Without it: all conversations. */
  conversationId?: string
  /** Asked again each time the list is read. */
  isWanted?: (message: Message) => boolean
  /** To read one conversation, as the others wait. */
  readMs?: number
  /** Gets the failure if a conversation is skipped because it cannot be listed now. */
  onSkip?: (failure: BotpressFailure) => void
}

/**
 * Yields each marked message once: one conversation after the other, in each the oldest first. The order between
 * conversations does not matter, so only one is held in memory. Of a very long one, what is read in time comes first.
 *
 * @throws what `list` throws for all conversations
 */
export async function* markedMessages(
  list: ListMarked,
  { conversationId, isWanted = () => true, readMs = READ_CONVERSATION_MS, onSkip }: Options = {}
): AsyncGenerator<Message> {
  const seen = new Set<string>()
  const isNew = (message: Message) => !seen.has(message.id) && isWanted(message)
  let foundAny: boolean
  // As marks are removed, the list shrinks, and the next page may skip some messages: read it until nothing is new.
  do {
    foundAny = false
    for await (const { page, isAll } of pages(list, conversationId)) {
      for (const id of new Set(page.map((message) => message.conversationId))) {
        const newOnPage = page.filter((message) => message.conversationId === id && isNew(message))
        if (newOnPage.length === 0) continue
        foundAny = true
        const all = isAll ? newOnPage : await conversationOf(newOnPage, list, { readMs, onSkip })
        const inOrder = all.filter(isNew).reverse()
        for (const message of [...newOnPage, ...inOrder]) seen.add(message.id)
        yield* inOrder
      }
    }
  } while (foundAny)
}

/** Page by page; `isAll` if there is but one. */
async function* pages(list: ListMarked, conversationId?: string): AsyncGenerator<{ page: Message[]; isAll: boolean }> {
  let nextToken: string | undefined
  do {
    const { messages, meta } = await list({ conversationId, nextToken })
    yield { page: messages, isAll: nextToken === undefined && meta.nextToken === undefined }
    nextToken = meta.nextToken
  } while (nextToken !== undefined)
}

/** All marked messages of the conversation that `some` belong to, newest first. */
const conversationOf = async (
  some: Message[],
  list: ListMarked,
  { readMs, onSkip }: { readMs: number; onSkip?: Options['onSkip'] }
): Promise<Message[]> => {
  const until = Date.now() + readMs
  const all: Message[] = []
  try {
    for await (const { page } of pages(list, some[0]?.conversationId)) {
      all.push(...page)
      if (Date.now() >= until) break
    }
    return all
  } catch (thrown) {
    const failure = BotpressFailure.in(thrown)
    if (!failure) throw thrown
    // The conversation may be gone.
    if (!failure.isTemporary) return some
    // With a part of it, newer messages might come before older ones.
    onSkip?.(failure)
    return []
  }
}
