import type * as bp from '.botpress'
import type { Caller } from '../botpress/client'
import { Remembered } from '../botpress/remembered'
import { redeliver, type Wanted } from './redeliver'

/** What a redelivery that ran out of time has tried in vain: the next one goes on behind it. */
const interrupted = new Remembered<{ triedUpTo: string; refused: number; reason?: string }>({ maxSize: 1000 })

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
  { mark, conversationId, deadline }: Omit<Wanted, 'since'>
): Promise<RedeliveryReport> => {
  const series = JSON.stringify([props.ctx.configuration.responseEndpointURL, mark, conversationId])
  const before = interrupted.get(caller.installation, series)
  const since = before?.triedUpTo ?? ''
  const { triedUpTo, end, ...now } = await redeliver(caller, props, { mark, conversationId, since, deadline })
  const refused = now.refused + (before?.refused ?? 0)
  const reason = now.reason ?? before?.reason
  if (end === 'out of time' && triedUpTo > since) {
    interrupted.set(caller.installation, series, { triedUpTo, refused, reason })
  } else interrupted.forget(caller.installation, series)
  return { delivered: now.delivered, undelivered: refused + now.untried, reason }
}
