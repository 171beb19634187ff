import * as z from 'zod'
import { externalId, parseFields } from './request-fields'

/** The query of a request for a conversation's messages. */
export const messagesQuery = z.object({
  conversationId: externalId().describe('Your id of the conversation.'),
  nextToken: z.string().optional().describe('The `meta.nextToken` of the page before.'),
})

/** Which messages to read: those of the conversation with an external id, from where the page before has ended. */
export type MessagesQuery = z.output<typeof messagesQuery>

/**
 * Reads the query of a request for a conversation's messages.
 *
 * @param query without its `?`
 * @throws Problem 400 that lists every fault at once
 */
export const parseMessagesQuery = (query: string): MessagesQuery =>
  parseFields(messagesQuery, Object.fromEntries(new URLSearchParams(query)), 'query')
