import type { Message } from '@botpress/client'
import type { Caller } from '../../botpress/client'
import { externalConversationIds } from '../../botpress/external-conversation-ids'
import { type OutgoingMessage, outgoingMessageOf } from '../../messages/outgoing-message'
import { findConversation } from '../find-conversation'
import type { MessagesQuery } from '../request/messages-query'

/** A message of a conversation: as the endpoint gets those of the bot, and when it was made, by whom. */
export type ReadMessage = OutgoingMessage & {
  direction: Message['direction']
  createdAt: string
  /** The external id, of a message that the backend sent. */
  messageId?: string
  /** Of a message of the bot that is not known to have been delivered. */
  delivery?: string
}

/**
 * Reads a page of messages, the newest first: those of a conversation, those with a mark, or those of both. Creates nothing.
 *
 * @returns the messages, and the token that the next page is asked for with, where there is one; without those whose
 * conversation is gone
 * @throws Problem 404 where there is no such conversation; what the caller's client throws
 */
export const readMessages = async (caller: Caller, { conversationId, delivery, nextToken }: MessagesQuery) => {
  const { client } = caller
  const conversation = conversationId === undefined ? undefined : await findConversation(client, conversationId)
  const { messages, meta } = await client.listMessages({
    conversationId: conversation?.id,
    tags: delivery && { delivery },
    nextToken,
  })
  const externalIds = conversation
    ? new Map([[conversation.id, conversation.tags['id']!]])
    : await externalConversationIds(caller, messages)
  const read = messages.flatMap((message) => {
    const externalId = externalIds.get(message.conversationId)
    return externalId === undefined ? [] : [toReadMessage(message, externalId)]
  })
  return { messages: read, meta }
}

const toReadMessage = (message: Message, conversationId: string): ReadMessage => ({
  ...outgoingMessageOf(message, conversationId),
  direction: message.direction,
  createdAt: message.createdAt,
  messageId: message.tags['id'],
  delivery: message.tags['delivery'],
})
