import QuickLRU from 'quick-lru'
import type * as bp from '.botpress'
import type { Caller } from '../botpress/client'
import { keyWithin } from '../botpress/remembered'
import { MIN_REDELIVERY_MS, redeliver, type Wanted } from './redeliver'

/** How long a redelivery on request takes at the most. */
export const REQUEST_MS = 20_000

/** What redeliveries that had no time for all have tried in vain: the next request goes on behind it. */
const interrupted = new QuickLRU<string, Set<string>>({ maxSize: 50, maxAge: 5 * 60_000 })

/** How a redelivery has ended. */
export type RedeliveryReport = {
  delivered: number
  /** Those that were found and are not delivered. */
  undelivered: number
  /** The last failure, where there was one. */
  reason?: string
}

/**
 * Delivers again what has a mark, of any age.
 *
 * @param caller asks Botpress
 * @throws what the caller's client throws, where it does so before any message was found
 */
export const redeliverOnRequest = async (
  caller: Caller,
  props: Pick<bp.HandlerProps, 'ctx' | 'logger'>,
  { mark, conversationId, deadline }: Pick<Wanted, 'mark' | 'conversationId' | 'deadline'>
): Promise<RedeliveryReport> => {
  const { responseEndpointURL } = props.ctx.configuration
  const series = keyWithin(caller.installation, String(responseEndpointURL))
  const triedInVain = interrupted.get(series) ?? new Set()
  const { delivered, undelivered, reason, end } = await redeliver(caller, props, {
    mark,
    conversationId,
    triedInVain,
    isPatient: false,
    beginUntil: deadline - MIN_REDELIVERY_MS,
    deadline,
  })
  if (end === 'out of time') interrupted.set(series, triedInVain)
  else interrupted.delete(series)
  return { delivered, undelivered, reason }
}
