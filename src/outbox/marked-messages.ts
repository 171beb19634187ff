import type { Message } from '@botpress/client'
import { BotpressFailure } from '../botpress/botpress-failure'

/** Lists a page of the messages that have a mark, newest first; those of one conversation, if that is given. */
export type ListMarked = (query: {
  conversationId?: string
  nextToken?: string
}) => Promise<{ messages: Message[]; meta: { nextToken?: string } }>

export type MarkedMessagesOptions = {
  /** Botpress's id. Without it: all conversations. */
  conversationId?: string
  /** Filters, one after the other over all conversations. Default: everything at once. */
  turns?: ((message: Message) => boolean)[]
  /** From then on, a turn that has found nothing yet makes way for the next; in milliseconds since 1970. */
  lookUntil?: number
}

/** Of one conversation, 1,000 messages are put in order at a time. */
const MAX_PAGES = 50

/**
 * Yields marked messages, each once: conversation by conversation, in each the oldest first. Only the list of one
 * conversation is held, as nobody can see the order between two. One that cannot be listed now is passed over.
 *
 * @throws what `list` throws for all conversations
 */
export async function* markedMessages(
  list: ListMarked,
  { conversationId, turns = [() => true], lookUntil = Infinity }: MarkedMessagesOptions = {}
): AsyncGenerator<Message> {
  const seen = new Set<string>()
  for (const [index, isInTurn] of turns.entries()) {
    const isLastTurn = index === turns.length - 1
    const isNew = (message: Message) => !seen.has(message.id) && isInTurn(message)
    let foundAny: boolean
    let othersWait: boolean
    // A list shrinks when marks are removed, and a page's token may skip what moved up: look until there is nothing new.
    do {
      foundAny = false
      othersWait = false
      for await (const page of pages(list, conversationId)) {
        for (const id of new Set(page.map((message) => message.conversationId))) {
          const newOnPage = page.filter((message) => message.conversationId === id && isNew(message))
          if (newOnPage.length === 0) continue
          foundAny = true
          const inOrder = (await conversationOf(newOnPage, list)).filter(isNew).reverse()
          for (const message of [...newOnPage, ...inOrder]) seen.add(message.id)
          yield* inOrder
        }
        othersWait ||= page.some(({ id }) => !seen.has(id))
        if (!foundAny && !isLastTurn && Date.now() >= lookUntil) {
          othersWait = true
          break
        }
      }
    } while (foundAny)
    if (!othersWait) return
  }
}

async function* pages(list: ListMarked, conversationId?: string): AsyncGenerator<Message[]> {
  let nextToken: string | undefined
  do {
    const { messages, meta } = await list({ conversationId, nextToken })
    yield messages
    nextToken = meta.nextToken
  } while (nextToken !== undefined)
}

/** All marked messages of the conversation that `some` are of, newest first. */
const conversationOf = async (some: Message[], list: ListMarked): Promise<Message[]> => {
  const all: Message[] = []
  try {
    let count = 0
    for await (const page of pages(list, some[0]?.conversationId)) {
      all.push(...page)
      if (++count === MAX_PAGES) break
    }
    return all
  } catch (thrown) {
    const failure = BotpressFailure.in(thrown)
    if (!failure) throw thrown
    // It may be gone. If not, it is passed over: it would lose its order.
    return failure.isTemporary ? [] : some
  }
}
