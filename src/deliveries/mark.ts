import type * as bp from '.botpress'
import { BotpressFailure } from '../botpress/botpress-failure'
import type { Caller } from '../botpress/client'
import { withRetries } from '../botpress/with-retries'
import { EndpointFailure } from '../endpoint/endpoint-failure'

/**
 * How a message stands that is not known to have been delivered, as the value of its tag `delivery`: `failed`, or `unknown`
 * where it was sent whole and not answered in time, so that it may have arrived.
 */
export type Mark = 'failed' | 'unknown'

export const markAfter = (failure: unknown): Mark =>
  failure instanceof EndpointFailure && failure.details.mayHaveArrived ? 'unknown' : 'failed'

const LIMIT_MS = 20_000

/** Nobody asks again later: better too early than never. */
const MAX_ASKED_MS = 5000

export type MarkOptions = {
  logger: bp.Logger
  /** Until when, in milliseconds since 1970, it is tried. */
  deadline: number
}

/**
 * Marks a message in Botpress's record, or takes its mark away. Throws nothing: where that fails, the bot's log tells it.
 *
 * @param mark `undefined` for a message that has been delivered
 */
export const setMark = async (
  { client }: Pick<Caller, 'client'>,
  id: string,
  mark: Mark | undefined,
  { logger, deadline }: MarkOptions
): Promise<void> => {
  try {
    await withRetries(() => client.updateMessage({ id, tags: { delivery: mark ?? '' } }), {
      limitMs: Math.min(LIMIT_MS, Math.max(deadline - Date.now(), 0)),
      maxAskedMs: MAX_ASKED_MS,
    })
  } catch (thrown) {
    const reason = BotpressFailure.in(thrown)?.reason ?? String(thrown)
    logger
      .forBot()
      .error(
        mark === undefined
          ? `The message ${id} was delivered, but its mark could not be removed: ${reason}. It may be delivered once more, with the same webhook-id.`
          : `The message ${id} could not be marked as ${mark}: ${reason}. Unless it is delivered yet, it is not delivered again, and has to be read from its conversation.`
      )
  }
}
