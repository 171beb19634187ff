import * as z from 'zod'
import { externalId, parseFields } from './request-fields'
import { Problem } from '../problem'

/** The query of a request for a conversation's messages. */
export const messagesQuery = z.object({
  conversationId: externalId().describe('Your id of the conversation.'),
  nextToken: z
    .string()
    .optional()
    .transform((token) => token || undefined)
    .describe('The `meta.nextToken` of the page before; empty, or left out, for the first one.'),
})

/** Which messages to read: those of the conversation with an external id, from where the page before has ended. */
export type MessagesQuery = z.output<typeof messagesQuery>

/**
 * Reads the query of a request for a conversation's messages.
 *
 * @param query without its `?`
 * @throws Problem 400 that lists every fault at once
 */
export const parseMessagesQuery = (query: string): MessagesQuery => {
  const parameters = [...new URLSearchParams(query)]
  const names = parameters.map(([name]) => name)
  const repeated = Object.keys(messagesQuery.shape).filter((name) => names.indexOf(name) !== names.lastIndexOf(name))
  if (repeated.length > 0) {
    const errors = repeated.map((path) => ({ path, message: 'must be given once' }))
    throw new Problem(400, `Given more than once in the query: ${repeated.join(', ')}.`, { errors })
  }
  return parseFields(messagesQuery, Object.fromEntries(parameters), 'query')
}
