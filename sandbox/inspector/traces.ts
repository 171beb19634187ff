import type { Conversation, Message } from '@botpress/client'
import QuickLRU from 'quick-lru'
import type { Incoming } from '../cloud/cloud-events'
import type { Exchange } from '../cloud/exchange'

/** As many are remembered of each kind: more than are shown. */
const MAX_REMEMBERED = 10_000

const memory = () => new QuickLRU<string, string>({ maxSize: MAX_REMEMBERED })

/**
 * Which trace something belongs to: all that a message or an event of a backend brought about is one, with the bot's answers
 * and their deliveries, and with the same message sent again. It is known from the ids that travel along, never from time.
 */
export class Traces {
  private readonly ofSent = memory()
  /** Of events too. */
  private readonly ofMessages = memory()
  private readonly ofExchanges = memory()

  /** The id of the trace that a request belongs to: of a new one, where it begins one. */
  ofExchange(exchange: Exchange): string {
    const trace = this.ofExchanges.get(exchange.id) ?? this.find(exchange)
    this.ofExchanges.set(exchange.id, trace)
    const eventId = createdEventId(exchange)
    if (eventId !== undefined) this.ofMessages.set(eventId, trace)
    return trace
  }

  /** @param answered what it answers, where it answers something */
  ofMessage(message: Message, conversation: Conversation, answered?: Incoming): string {
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
      const key = sent?.messageId && sentKey(sent.conversationId, sent.messageId, sent.isEvent)
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

const sentKey = (conversationId: unknown, id: unknown, isEvent = false): string =>
  JSON.stringify([conversationId, id, isEvent])

const createdEventId = ({ to, method, url, responseBody }: Exchange): string | undefined =>
  to === 'Botpress' && method === 'POST' && url.endsWith('/chat/events') && responseBody !== undefined
    ? responseBody.match(/"id":"(evt_\w+)"/)?.[1]
    : undefined

/** The external ids of a message or an event of a backend; an event may have none of its own. */
export type SentIds = { conversationId: string; messageId?: string; userId?: string; isEvent?: boolean }

const isText = (value: unknown): value is string => typeof value === 'string'

/** The ids in a backend's request that brings a message or an event. Extra slashes, and a byte order mark, change nothing. */
export const sentIn = (url: string, body = ''): SentIds | undefined => {
  const path = url.match(/^\/+[^/?]*(?:\/+(events))?\/*(?:\?|$)/)
  if (!path) return undefined
  const isEvent = path[1] !== undefined
  const { conversationId, userId, messageId, eventId } = fieldsIn(body.replace(/^\uFEFF/, ''))
  const id = isEvent ? eventId : messageId
  if (!isText(conversationId) || (!isText(id) && !isEvent)) return undefined
  const ids = { conversationId, ...(isText(id) && { messageId: id }), ...(isText(userId) && { userId }) }
  return { ...ids, ...(isEvent && { isEvent }) }
}

const fieldsIn = (body: string): Record<string, unknown> => {
  try {
    return Object(JSON.parse(body))
  } catch {
    // A form, perhaps.
    return Object.fromEntries(new URLSearchParams(body))
  }
}
