import * as z from 'zod'
import type { JsonObject } from './json-object'
import { deliveryMark, externalId, parseFields } from './request-fields'

/** The body of a request for a redelivery. */
export const redeliveryRequest = z.object({
  conversationId: externalId().optional().describe('Your id of the conversation. Left out, it is all of them.'),
  delivery: deliveryMark()
    .default('failed')
    .describe('`failed` for what has not reached your endpoint, `unknown` for what may have: it comes once more then.'),
})

/** What to deliver again. */
export type RedeliveryRequest = z.output<typeof redeliveryRequest>

/**
 * Reads the fields of a request for a redelivery.
 *
 * @throws Problem 400 that lists every fault at once
 */
export const parseRedeliveryRequest = (fields: JsonObject): RedeliveryRequest =>
  parseFields(redeliveryRequest, { fields, place: 'body' })
