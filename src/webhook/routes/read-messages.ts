import * as z from 'zod'
import type { Caller } from '../../botpress/caller'
import { externalConversationId } from '../../botpress/directory'
import { withRetries } from '../../botpress/with-retries'
import type { Configuration } from '../../configuration'
import { outgoingMessageOf } from '../../messages/outgoing-message'
import { findConversation } from '../find-conversation'
import { parseParameters } from '../request/parameters'
import { deliveryMark, externalId, parseFields } from '../request/request-fields'
import type { Route } from './route'

/** The query of a request for messages. */
export const messagesQuery = z
  .object({
    conversationId: externalId()
      .optional()
      .describe(
        'Your id of the conversation. Required, unless `delivery` is given: without it, all conversations are read.'
      ),
    delivery: deliveryMark()
      .optional()
      .describe(
        'Only messages of the bot that have not reached your endpoint (`failed`), or that may have (`unknown`).'
      ),
    nextToken: z
      .string()
      .optional()
      .transform((token) => token || undefined)
      .describe('The `meta.nextToken` of the previous page. Empty or missing for the first one.'),
  })
  .refine(({ conversationId, delivery }) => conversationId !== undefined || delivery !== undefined, {
    path: ['conversationId'],
    error: 'is required, a string of 1 to 500 characters, unless delivery is given',
  })

type MessagesQuery = z.output<typeof messagesQuery>

/** `GET /messages`: reads a page of messages, newest first. Creates nothing. */
export const readMessages: Route = async (caller, { req, ctx }) => {
  const wanted = parseFields(messagesQuery, parseParameters(req.query, 'query'))
  return { body: await withRetries(() => readPage(caller, wanted, ctx.configuration)) }
}

/** Messages of a conversation, with a mark, or both; without those whose conversation is gone. */
const readPage = async (
  caller: Caller,
  { conversationId, delivery, nextToken }: MessagesQuery,
  configuration: Configuration
) => {
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
  const read = messages.flatMap((message) => {
    const { direction, createdAt, tags } = message
    const external = externalIds.get(message.conversationId)
    const more = { direction, createdAt, messageId: tags['id'], delivery: tags['delivery'] }
    return external === undefined ? [] : Object.assign(outgoingMessageOf(message, external, configuration), more)
  })
  return { messages: read, meta }
}
