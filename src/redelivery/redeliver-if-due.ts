import type { Message } from '@botpress/client'
import type * as bp from '.botpress'
import { BotpressFailure } from '../botpress/botpress-failure'
import { integrationAsCaller } from '../botpress/client'
import { endpointOf } from '../configuration'
import { EndpointMemory } from '../outbox/endpoint-memory'
import { FRESH } from '../outbox/mark'
import { isPauseOver } from './failed-redeliveries'
import { redeliver } from './redeliver'
import { CALL_MS, MAX_REDELIVERY_AGE_MS, MIN_REDELIVERY_MS } from '../time-limits'

/**
 * Delivers again what failed in the last 24 hours, if it is time to look for it. Called after each message that the endpoint
 * took, and after a registration: nothing else wakes an integration. Throws no failure of Botpress or the endpoint: the bot's
 * log says how it went.
 *
 * @param deadline when the current call must end, in milliseconds since 1970
 */
export const redeliverIfDue = async (
  { ctx, logger }: Pick<bp.HandlerProps, 'ctx' | 'logger'>,
  deadline: number
): Promise<void> => {
  const integration = integrationAsCaller(ctx)
  const endpoint = endpointOf(ctx.configuration)
  const memory = EndpointMemory.of(integration.installation, endpoint.url)
  const isOutOfTime = () => Date.now() >= deadline - MIN_REDELIVERY_MS
  if (isOutOfTime() || !memory.beginLook()) return
  const now = Date.now()
  let leavesAlone = false
  const isItsCallOver = ({ id, createdAt }: Message) => {
    const isOver = memory.hasGivenUp(id) || now - Date.parse(createdAt) >= CALL_MS
    leavesAlone ||= !isOver
    return isOver
  }
  const passes = [
    { tags: FRESH, isWanted: isItsCallOver },
    { isWanted: (message: Message) => isItsCallOver(message) && isPauseOver(message) },
  ]
  const since = new Date(now - MAX_REDELIVERY_AGE_MS).toISOString()
  try {
    const options = { configuration: ctx.configuration, logger, mark: 'failed', since, passes, deadline } as const
    const { undelivered, more } = await redeliver(integration, options)
    if (more && isOutOfTime()) memory.lookAtOnce()
    else if (more || undelivered > 0 || leavesAlone) memory.lookSoon()
  } catch (thrown) {
    memory.lookSoon()
    const reason = BotpressFailure.reasonOf(thrown)
    logger
      .forBot()
      .error(`Botpress could not list what ${endpoint.url.host} missed: ${reason}. It is asked again later.`)
  }
}
