import type { Client, Message } from '@botpress/client'
import { type OutgoingMessage, outgoingMessageOf } from '../endpoint/outgoing-message'
import type { MessagesQuery } from './request/messages-query'
import { Problem } from './problem'

/** A message of a conversation: as the endpoint gets those of the bot, and when it was made, by whom. */
export type ReadMessage = OutgoingMessage & {
  direction: Message['direction']
  createdAt: string
  /** The external id, of a message that the backend sent. */
  messageId?: string
}

/**
 * Reads a page of a conversation's messages, the newest first. Creates nothing.
 *
 * @param client acts as the caller
 * @returns the messages, and the token that the next page is asked for with, where there is one
 * @throws Problem 404 where there is no such conversation; what `client` throws
 */
export const readMessages = async (client: Client, { conversationId, nextToken }: MessagesQuery) => {
  const { conversations } = await client.listConversations({ tags: { id: conversationId } })
  const conversation = conversations.find(({ tags }) => tags['id'] === conversationId)
  if (!conversation) {
    throw new Problem(404, 'There is no conversation with this conversationId.')
  }
  const { messages, meta } = await client.listMessages({ conversationId: conversation.id, nextToken })
  return { messages: messages.map((message) => toReadMessage(message, conversationId)), meta }
}

const toReadMessage = (message: Message, conversationId: string): ReadMessage => ({
  ...outgoingMessageOf(message, conversationId),
  direction: message.direction,
  createdAt: message.createdAt,
  messageId: message.tags['id'],
})
