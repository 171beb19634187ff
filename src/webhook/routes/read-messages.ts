import type { Message } from '@botpress/client'
import type { Caller } from '../../botpress/caller'
import { externalConversationId } from '../../botpress/directory'
import { withRetries } from '../../botpress/with-retries'
import { type OutgoingMessage, outgoingMessageOf } from '../../messages/outgoing-message'
import { findConversation } from '../find-conversation'
import { type MessagesQuery, parseMessagesQuery } from '../request/messages-query'
import type { Route } from './route'

/** `GET /messages`: reads a page of messages, newest first. Creates nothing. */
export const readMessages: Route = async (caller, { req }) => {
  const wanted = parseMessagesQuery(req.query)
  return { body: await withRetries(() => readPage(caller, wanted)) }
}

/** Those of a conversation, those with a mark, or those of both; without those whose conversation is gone. */
const readPage = async (caller: Caller, { conversationId, delivery, nextToken }: MessagesQuery) => {
  const conversation = await findConversation(caller, conversationId)
  const { messages, meta } = await caller.client.listMessages({
    conversationId: conversation?.id,
    tags: delivery && { delivery },
    nextToken,
  })
  const ids = [...new Set(messages.map((message) => message.conversationId))]
  const externalIds = new Map(
    await Promise.all(
      ids.map(async (id) => [id, conversationId ?? (await externalConversationId(caller, id))] as const)
    )
  )
  const read = messages.flatMap((message) => {
    const externalId = externalIds.get(message.conversationId)
    return externalId === undefined ? [] : [readMessageOf(message, externalId)]
  })
  return { messages: read, meta }
}

/** A message as it is read: as the endpoint gets it, and how it came about. */
export type ReadMessage = OutgoingMessage & {
  direction: Message['direction']
  createdAt: string
  /** The external id, of a message that the backend sent. */
  messageId?: string
  /** Of a message of the bot that is not known to have been delivered. */
  delivery?: string
}

const readMessageOf = (message: Message, conversationId: string): ReadMessage => ({
  ...outgoingMessageOf(message, conversationId),
  direction: message.direction,
  createdAt: message.createdAt,
  messageId: message.tags['id'],
  delivery: message.tags['delivery'],
})
