import type { Message } from '@botpress/client'
import type { Configuration } from '../configuration'
import { plainTextOf } from './plain-text'

/** A message of the bot, as the endpoint receives it. */
export type OutgoingMessage = {
  type: string
  /** As the bot sent it, or with `plainText` `{ text }` and the type `text`. */
  payload: object
  /** The external id: the one that the backend chose. */
  conversationId: string
  botpressUserId: string
  botpressMessageId: string
  botpressConversationId: string
}

/** @param conversationId the external id of the message's conversation */
export const outgoingMessageOf = (
  message: Message,
  conversationId: string,
  { plainText = false }: Configuration
): OutgoingMessage => {
  const { type, payload, direction } = message
  const written = plainText && direction !== 'incoming' ? plainTextOf(type, payload) : undefined
  return {
    ...(written ? { type: 'text', payload: { text: written.text } } : { type, payload }),
    conversationId,
    botpressUserId: message.userId,
    botpressMessageId: message.id,
    botpressConversationId: message.conversationId,
  }
}
