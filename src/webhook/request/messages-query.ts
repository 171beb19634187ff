import * as z from 'zod'
import { deliveryMark, externalId } from './request-fields'

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

/** Which messages to read: of a conversation, with a mark, or both. */
export type MessagesQuery = z.output<typeof messagesQuery>
