import type { Message } from '@botpress/client'

/** A message of the bot, as the endpoint receives it. */
export type OutgoingMessage = {
  type: string
  /** As the bot sent it. */
  payload: object
  /** The external id: the one that the backend chose. */
  conversationId: string
  botpressUserId: string
  botpressMessageId: string
  botpressConversationId: string
}

/** @param conversationId the external id of the message's conversation */
export const outgoingMessageOf = (message: Message, conversationId: string): OutgoingMessage => ({
  type: message.type,
  payload: message.payload,
  conversationId,
  botpressUserId: message.userId,
  botpressMessageId: message.id,
  botpressConversationId: message.conversationId,
})
