import type * as bp from '.botpress'
import { BotpressFailure } from '../botpress/botpress-failure'
import { installationOf, integrationAsCaller } from '../botpress/client'
import { endpointOf } from '../configuration'
import { EndpointRecord } from '../outbox/endpoint-record'
import { MIN_REDELIVERY_MS, redeliver } from './redeliver'

const MAX_AGE_MS = 3 * 24 * 60 * 60_000

/** So often all that has failed is looked for: other instances, and those that were ended, have failed too. */
const LOOK_INTERVAL_MS = 5 * 60_000

/** How long it begins tries. */
const WORK_MS = 20_000

/** After a look that Botpress has refused. */
const PAUSE_MS = 60_000

/** More is not remembered of what was tried in vain. */
const MAX_REMEMBERED = 10_000

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
  if (
    !(isLookDue || record.hasFailed || record.isUnfinished) ||
    now < record.resumeAt ||
    deadline - now < MIN_REDELIVERY_MS
  )
    return
  // Between two looks, what is refused for good is tried once; what a look had no time for comes before that is tried anew.
  if ((isLookDue && !record.isUnfinished) || record.triedInVain.size > MAX_REMEMBERED) record.triedInVain.clear()
  if (isLookDue) record.lookedAt = now
  try {
    const { end, leasedUntil } = await redeliver(
      integration,
      { ctx, logger },
      {
        mark: 'failed',
        since: new Date(now - MAX_AGE_MS).toISOString(),
        triedInVain: record.triedInVain,
        isPatient: true,
        beginUntil: Math.min(now + WORK_MS, deadline - MIN_REDELIVERY_MS),
        deadline,
      }
    )
    record.hasFailed = false
    record.isUnfinished = end !== 'all tried'
    record.resumeAt = leasedUntil ?? now
  } catch (thrown) {
    record.isUnfinished = true
    record.resumeAt = now + PAUSE_MS
    const reason = BotpressFailure.in(thrown)?.reason ?? String(thrown)
    logger
      .forBot()
      .error(`What ${url.host} had not taken could not be looked for: ${reason}. It is looked for again in a minute.`)
  }
}
