import type * as bp from '.botpress'
import { BotpressFailure } from '../botpress/botpress-failure'
import { installationOf, integrationAsCaller } from '../botpress/client'
import { endpointOf } from '../configuration'
import { EndpointRecord } from './endpoint-record'
import { MIN_REDELIVERY_MS, redeliver, REDELIVERY_MS } from './redeliver'

const MAX_AGE_MS = 3 * 24 * 60 * 60_000

/** So often all that has failed is looked for: other instances, and those that were ended, have failed too. */
const LOOK_INTERVAL_MS = 5 * 60_000

/**
 * Delivers again what has failed in the last three days, now that the endpoint takes messages: where this instance knows of
 * any, or has not looked for five minutes. What may have arrived is not sent again. Throws nothing: the bot's log tells
 * how it went.
 *
 * @param deadline of the call that it is part of, in milliseconds since 1970
 */
export const redeliverUnasked = async (
  { ctx, logger }: Pick<bp.HandlerProps, 'ctx' | 'logger'>,
  deadline: number
): Promise<void> => {
  const integration = integrationAsCaller(installationOf(ctx))
  const { url } = endpointOf(ctx.configuration)
  const record = EndpointRecord.of(integration.installation, url)
  const now = Date.now()
  const isLookDue = now - record.lookedAt >= LOOK_INTERVAL_MS
  if ((!isLookDue && !record.hasFailed) || deadline - now < MIN_REDELIVERY_MS) return
  const oldest = new Date(now - MAX_AGE_MS).toISOString()
  // Between two looks, what the endpoint refuses for good is tried once.
  const since = isLookDue || record.triedUpTo < oldest ? oldest : record.triedUpTo
  if (isLookDue) record.lookedAt = now
  record.hasFailed = false
  const log = logger.forBot()
  try {
    const { delivered, refused, untried, reason, triedUpTo, end } = await redeliver(
      integration,
      { ctx, logger },
      { mark: 'failed', since, deadline: Math.min(deadline, now + REDELIVERY_MS) }
    )
    record.triedUpTo = triedUpTo
    record.hasFailed = end !== 'all tried'
    if (delivered > 0) log.info(`Redelivered ${delivered} of the messages that ${url.host} had not taken.`)
    if (reason) log.error(`${refused + untried} messages are not delivered yet. ${reason}`)
  } catch (thrown) {
    const reason = BotpressFailure.in(thrown)?.reason ?? String(thrown)
    log.error(
      `What ${url.host} had not taken could not be looked for: ${reason}. It is looked for again in five minutes.`
    )
  }
}
