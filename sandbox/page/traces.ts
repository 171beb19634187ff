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
      const key = sentIn(url, requestBody)
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

/** The ids that a backend's message is one by, where the request brings a message. */
const sentIn = (url: string, body = ''): string | undefined => {
  if (!/^\/[^/?]*\/?(\?|$)/.test(url)) return undefined
  try {
    const { conversationId, messageId } = JSON.parse(body)
    return typeof conversationId === 'string' && typeof messageId === 'string'
      ? sentKey(conversationId, messageId)
      : undefined
  } catch {
    // What is no JSON is no message.
    return undefined
  }
}
