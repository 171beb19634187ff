import * as z from 'zod'
import { deliveryMark, externalId } from './request-fields'

/** The body of a request for a redelivery. */
export const redeliveryRequest = z.object({
  conversationId: externalId().optional().describe('Your id of the conversation. If it is missing: all conversations.'),
  delivery: deliveryMark()
    .default('failed')
    .describe('`failed` for what has not reached your endpoint, `unknown` for what may have, and then comes twice.'),
})
