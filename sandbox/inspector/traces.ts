import type { Conversation, Message } from '@botpress/client'
import QuickLRU from 'quick-lru'
import type { Exchange } from '../cloud/exchange'

/** As many are remembered of each kind: more than are shown. */
const MAX_REMEMBERED = 10_000

const memory = () => new QuickLRU<string, string>({ maxSize: MAX_REMEMBERED })

/**
 * Which trace something belongs to: all that a message of a backend brought about is one, with the bot's answers and their
 * deliveries, and with the same message sent again. It is known from the ids that travel along, never from time.
 */
export class Traces {
  private readonly ofSent = memory()
  private readonly ofMessages = memory()
  private readonly ofExchanges = memory()

  /** The id of the trace that a request belongs to: of a new one, where it begins one. */
  ofExchange(exchange: Exchange): string {
    const trace = this.ofExchanges.get(exchange.id) ?? this.find(exchange)
    this.ofExchanges.set(exchange.id, trace)
    return trace
  }

  /** @param answered the message that it answers, where it answers one */
  ofMessage(message: Message, conversation: Conversation, answered?: Message): string {
    const known =
      this.ofMessages.get(message.id) ??
      (answered && this.ofMessages.get(answered.id)) ??
      (message.direction === 'incoming'
        ? this.ofSent.get(sentKey(conversation.tags['id'], message.tags['id']))
        : undefined)
    const trace = known ?? message.id
    this.ofMessages.set(message.id, trace)
    return trace
  }

  private find({ id, from, call, url, requestHeaders, requestBody }: Exchange): string {
    if (from === 'backend') {
      const sent = sentIn(url, requestBody)
      const key = sent && sentKey(sent.conversationId, sent.messageId)
      const trace = (key && this.ofSent.get(key)) ?? id
      if (key) this.ofSent.set(key, trace)
      return trace
    }
    // A message may be delivered, or marked, within the call for another one.
    const messageId = String(requestHeaders['webhook-id'] ?? url.match(/\/chat\/messages\/(msg_\w+)/)?.[1])
    const ofMessage = this.ofMessages.get(messageId)
    if (ofMessage !== undefined) return ofMessage
    if (call === undefined) return id
    return this.ofExchanges.get(call) ?? this.ofMessages.get(call) ?? call
  }
}

const sentKey = (conversationId: unknown, messageId: unknown): string => JSON.stringify([conversationId, messageId])

/** The external ids of a message of a backend. */
export type SentIds = { conversationId: string; messageId: string; userId?: string }

const isText = (value: unknown): value is string => typeof value === 'string'

/** The ids in a backend's request that brings a message. Slashes at its path's end, and a byte order mark, change nothing. */
export const sentIn = (url: string, body = ''): SentIds | undefined => {
  if (!/^\/+[^/?]*\/*(\?|$)/.test(url)) return undefined
  try {
    const { conversationId, messageId, userId } = JSON.parse(body.replace(/^\uFEFF/, ''))
    if (!isText(conversationId) || !isText(messageId)) return undefined
    return { conversationId, messageId, ...(isText(userId) && { userId }) }
  } catch {
    // What is no JSON is no message.
    return undefined
  }
}
