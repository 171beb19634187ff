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

/** What a message in Botpress's record is tagged with; an empty value takes a tag away. */
export type DeliveryTags = {
  delivery?: Mark | ''
  /** In how many redeliveries the endpoint has failed on it. */
  redeliveryFailures?: string
  /** By which call, and until when, it and those beside it are being redelivered. */
  redelivery?: string
}

const LIMIT_MS = 20_000

/** Nobody asks again later: better too early than never. */
const MAX_ASKED_MS = 5000

export type RecordOptions = {
  logger: bp.Logger
  /** Until when it is tried, in milliseconds since 1970. */
  deadline: number
}

/**
 * Writes how a message stands to Botpress's record. Throws nothing: where that fails, the bot's log tells it.
 *
 * @param tags an empty value takes a tag away
 * @returns whether it is written
 */
export const tagMessage = async (
  { client }: Pick<Caller, 'client'>,
  id: string,
  tags: DeliveryTags,
  { logger, deadline }: RecordOptions
): Promise<boolean> => {
  try {
    await withRetries(() => client.updateMessage({ id, tags }), {
      limitMs: Math.min(LIMIT_MS, Math.max(deadline - Date.now(), 0)),
      maxAskedMs: MAX_ASKED_MS,
    })
    return true
  } catch (thrown) {
    logger.forBot().error(notWritten(id, tags, BotpressFailure.in(thrown)?.reason ?? String(thrown)))
    return false
  }
}

const notWritten = (id: string, { delivery }: DeliveryTags, reason: string): string => {
  if (delivery === undefined) return `The message ${id} could not be tagged: ${reason}.`
  return delivery === ''
    ? `The message ${id} was delivered, but its mark could not be removed: ${reason}. It may be delivered again, with the same webhook-id.`
    : `The message ${id} could not be marked as ${delivery}: ${reason}. Unless it is delivered yet, it is not delivered again, and has to be read from its conversation.`
}
