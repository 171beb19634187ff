import type { Message } from '@botpress/client'
import { BotpressFailure } from '../botpress/botpress-failure'
import { READ_CONVERSATION_MS } from '../time-limits'

/** Lists a page of the messages that have a mark, newest first; those of one conversation, if that is given. */
export type ListMarked = (query: {
  conversationId?: string
  nextToken?: string
}) => Promise<{ messages: Message[]; meta: { nextToken?: string } }>

/**
 * Yields marked messages, each once: conversation by conversation, in each the oldest first. Only the list of one
 * conversation is held, as nobody can see the order between two. Of a very long one, what is listed in 3 s comes first.
 * One that cannot be listed now is passed over.
 *
 * @param conversationId Botpress's id. Without it: all conversations
 * @param isWanted asked anew in each look at the list
 * @throws what `list` throws for all conversations
 */
export async function* markedMessages(
  list: ListMarked,
  conversationId?: string,
  isWanted: (message: Message) => boolean = () => true
): AsyncGenerator<Message> {
  const seen = new Set<string>()
  const isNew = (message: Message) => !seen.has(message.id) && isWanted(message)
  let foundAny: boolean
  // A list shrinks when marks are removed, and a page's token may skip what moved up: look until there is nothing new.
  do {
    foundAny = false
    for await (const page of pages(list, conversationId)) {
      for (const id of new Set(page.map((message) => message.conversationId))) {
        const newOnPage = page.filter((message) => message.conversationId === id && isNew(message))
        if (newOnPage.length === 0) continue
        foundAny = true
        const inOrder = (await conversationOf(newOnPage, list)).filter(isNew).reverse()
        for (const message of [...newOnPage, ...inOrder]) seen.add(message.id)
        yield* inOrder
      }
    }
  } while (foundAny)
}

async function* pages(list: ListMarked, conversationId?: string): AsyncGenerator<Message[]> {
  let nextToken: string | undefined
  do {
    const { messages, meta } = await list({ conversationId, nextToken })
    yield messages
    nextToken = meta.nextToken
  } while (nextToken !== undefined)
}

/** The marked messages of the conversation that `some` are of, newest first. */
const conversationOf = async (some: Message[], list: ListMarked): Promise<Message[]> => {
  const until = Date.now() + READ_CONVERSATION_MS
  const all: Message[] = []
  try {
    for await (const page of pages(list, some[0]?.conversationId)) {
      all.push(...page)
      if (Date.now() >= until) break
    }
    return all
  } catch (thrown) {
    const failure = BotpressFailure.in(thrown)
    if (!failure) throw thrown
    // It may be gone. If not, it is passed over: it would lose its order.
    return failure.isTemporary ? [] : some
  }
}
