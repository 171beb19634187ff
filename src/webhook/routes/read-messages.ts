import type { Message } from '@botpress/client'
import type { Caller } from '../../botpress/caller'
import { externalConversationId } from '../../botpress/directory'
import { withRetries } from '../../botpress/with-retries'
import { type OutgoingMessage, outgoingMessageOf } from '../../messages/outgoing-message'
import { findConversation } from '../find-conversation'
import { type MessagesQuery, messagesQuery } from '../request/messages-query'
import { parseParameters } from '../request/parameters'
import { parseFields } from '../request/request-fields'
import type { Route } from './route'

/** `GET /messages`: reads a page of messages, newest first. Creates nothing. */
export const readMessages: Route = async (caller, { req }) => {
  const wanted = parseFields(messagesQuery, parseParameters(req.query, Object.keys(messagesQuery.shape), 'query'))
  return { body: await withRetries(() => readPage(caller, wanted)) }
}

/** A message as it is read: as the endpoint gets it, and how it came about. */
export type ReadMessage = OutgoingMessage & {
  direction: Message['direction']
  createdAt: string
  /** The external id, if the backend sent it. */
  messageId?: string
  /** The mark, if the bot sent it and it is not known to be delivered. */
  delivery?: string
}

/** Messages of a conversation, with a mark, or both; without those whose conversation is gone. */
const readPage = async (caller: Caller, { conversationId, delivery, nextToken }: MessagesQuery) => {
  const conversation = await findConversation(caller, conversationId)
  const { messages, meta } = await caller.client.listMessages({
    conversationId: conversation?.id,
    tags: delivery && { delivery },
    nextToken,
  })
  const externalIds = new Map<string, string | undefined>()
  await Promise.all(
    [...new Set(messages.map((message) => message.conversationId))].map(async (id) =>
      externalIds.set(id, conversationId ?? (await externalConversationId(caller, id)))
    )
  )
  const read = messages.flatMap((message): ReadMessage[] => {
    const externalId = externalIds.get(message.conversationId)
    if (externalId === undefined) return []
    const { direction, createdAt, tags } = message
    return [
      {
        ...outgoingMessageOf(message, externalId),
        direction,
        createdAt,
        messageId: tags['id'],
        delivery: tags['delivery'],
      },
    ]
  })
  return { messages: read, meta }
}
