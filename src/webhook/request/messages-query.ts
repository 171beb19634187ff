import * as z from 'zod'
import { parseParameters } from './parameters'
import { deliveryMark, externalId, parseFields } from './request-fields'

/** The query of a request for messages. */
export const messagesQuery = z
  .object({
    conversationId: externalId()
      .optional()
      .describe('Your id of the conversation. Required, unless `delivery` is given: then it is all of them.'),
    delivery: deliveryMark()
      .optional()
      .describe(
        'Of the bot’s messages those alone that have not reached your endpoint (`failed`), or that may have (`unknown`).'
      ),
    nextToken: z
      .string()
      .optional()
      .transform((token) => token || undefined)
      .describe('The `meta.nextToken` of the page before; empty, or left out, for the first one.'),
  })
  .refine(({ conversationId, delivery }) => conversationId !== undefined || delivery !== undefined, {
    path: ['conversationId'],
    error: 'is required, a string of 1 to 500 characters, unless delivery is given',
  })

/** Which messages to read, from where the page before has ended. There is a conversation, a mark, or both. */
export type MessagesQuery = z.output<typeof messagesQuery>

/**
 * Reads the query of a request for messages.
 *
 * @param query without its `?`
 * @throws Problem 400 that lists every fault at once
 */
export const parseMessagesQuery = (query: string): MessagesQuery =>
  parseFields(messagesQuery, parseParameters(query, Object.keys(messagesQuery.shape), 'query'))
