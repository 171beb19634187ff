import type { Client } from '@botpress/client'
import type * as bp from '.botpress'
import { BotpressFailure } from '../botpress/botpress-failure'
import { withRetries } from '../botpress/with-retries'
import { EndpointFailure } from '../endpoint/endpoint-failure'
import { ASIDE_MS, BOTPRESS_MS, LATE_MARK_MS, MAX_BOTPRESS_RETRY_AFTER_MS } from '../time-limits'

/**
 * The tag `delivery` of a message that is not known to be delivered: `failed`, or `unknown` if it was sent whole and may have
 * arrived, or `waiting` if the backend fetches its messages. There is no queue: the messages with this tag in Botpress's
 * record are the outbox. A message that is posted is tried again
 *
 * - by its own call, up to 4 times, while the failures are temporary (endpoint/post-message.ts, endpoint-failure.ts). It is
 *   marked after the first failure, and unmarked after a success (deliver-or-mark.ts);
 * - by a redelivery, once each time (redelivery/redeliver.ts): `failed` ones of the last 24 hours unasked, every few minutes,
 *   after a message that the endpoint took, and after a registration (redelivery/redeliver-if-due.ts); all on request
 *   (webhook/routes/redeliver-messages.ts);
 * - by its own call once more, if Botpress hands the message over again.
 */
export const MARKS = ['failed', 'unknown', 'waiting'] as const

export type Mark = (typeof MARKS)[number]

/** The mark that a message has, if any. */
export const markOf = ({ tags: { delivery } }: { tags: { delivery?: string } }): Mark | undefined =>
  MARKS.find((mark) => mark === delivery)

export const markAfter = (failure: unknown): Mark =>
  failure instanceof EndpointFailure && failure.details.mayHaveArrived ? 'unknown' : 'failed'

/** An empty value removes a tag. */
export type DeliveryTags = {
  delivery?: Mark | ''
  redeliveryFailures?: string
  /** Only version 1.1 wrote it. */
  redelivery?: ''
}

/** The tags of a message that failed in no redelivery yet. */
export const FRESH: DeliveryTags = { redeliveryFailures: '0' }

/** Takes a message out of the outbox. */
export const UNMARKED: DeliveryTags = { delivery: '', redeliveryFailures: '', redelivery: '' }

export type WriteOptions = {
  logger: bp.Logger
  /** When the call ends at the latest, in milliseconds since 1970. */
  deadline: number
}

/**
 * Tags a message in Botpress, with retries. Throws no failure of Botpress: it is logged for the bot's owner.
 *
 * @returns `gone` if there is no such message any more
 */
export const tagMessage = async (
  client: Client,
  id: string,
  tags: DeliveryTags,
  { logger, deadline }: WriteOptions
): Promise<'written' | 'gone' | 'failed'> => {
  const write = async (): Promise<void> => {
    const start = Date.now()
    const leftMs = deadline - start
    // An instance that was frozen past the deadline tags the message all the same.
    const limitMs = leftMs > 0 ? Math.min(leftMs, BOTPRESS_MS) : LATE_MARK_MS
    try {
      const maxAskedMs = MAX_BOTPRESS_RETRY_AFTER_MS
      await withRetries(() => client.updateMessage({ id, tags }), { limitMs, maxAskedMs })
    } catch (thrown) {
      const wasFrozenMeanwhile = Date.now() - start > limitMs + ASIDE_MS
      if (!wasFrozenMeanwhile || leftMs <= 0) throw thrown
      await write()
    }
  }
  try {
    await write()
    return 'written'
  } catch (thrown) {
    if (BotpressFailure.in(thrown)?.isMissingResource) return 'gone'
    const state = tags.delivery === '' ? 'delivered' : (tags.delivery ?? 'failed again')
    const outlook = state === 'delivered' ? 'It may be delivered twice' : 'Its mark stays as it was'
    logger
      .forBot()
      .error(`The message ${id} could not be marked as ${state}: ${BotpressFailure.reasonOf(thrown)}. ${outlook}.`)
    return 'failed'
  }
}

/**
 * The mark that a message has by now: another call may have delivered it. None, if the message is gone; `known`, if Botpress
 * does not say within 1 s.
 */
export const currentMark = async (client: Client, id: string, known: Mark): Promise<Mark | undefined> => {
  try {
    return markOf((await withRetries(() => client.getMessage({ id }), { limitMs: ASIDE_MS })).message)
  } catch (thrown) {
    return BotpressFailure.in(thrown)?.isMissingResource ? undefined : known
  }
}
