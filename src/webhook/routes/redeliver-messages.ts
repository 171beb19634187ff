import * as z from 'zod'
import { withRetries } from '../../botpress/with-retries'
import { redeliver } from '../../redelivery/redeliver'
import { CALL_MS, MIN_REDELIVERY_MS } from '../../time-limits'
import { findConversation } from '../find-conversation'
import { parseJsonBody } from '../request/json-body'
import { deliveryMark, externalId, parseFields } from '../request/request-fields'
import type { Route } from './route'

/** The body of a request for a redelivery. */
export const redeliveryRequest = z.object({
  conversationId: externalId().optional().describe('Your id of the conversation. If it is missing: all conversations.'),
  delivery: deliveryMark()
    .default('failed')
    .describe('`failed` for what has not reached your endpoint, `unknown` for what may have: it may come twice.'),
})

/** `POST /redeliveries`: delivers again what the endpoint has missed. */
export const redeliverMessages: Route = async (caller, props) => {
  const deadline = Date.now() + CALL_MS
  const { req, ctx, logger } = props
  const fields = req.body?.trim() ? parseJsonBody(req) : {}
  const { conversationId, delivery } = parseFields(redeliveryRequest, { fields, place: 'body' })
  const limitMs = CALL_MS - MIN_REDELIVERY_MS
  const conversation = await withRetries(() => findConversation(caller, conversationId), { limitMs })
  const of = { configuration: ctx.configuration, mark: delivery, conversationId: conversation?.id }
  return { body: await redeliver(caller, { ...of, logger, deadline }) }
}
