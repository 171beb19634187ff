import type { Message } from '@botpress/client'
import type * as bp from '.botpress'
import { BotpressFailure } from '../botpress/botpress-failure'
import type { Caller } from '../botpress/caller'
import { withRetries } from '../botpress/with-retries'
import { endpointOf } from '../configuration'
import { type DeliveryTags, FRESH, type Mark, markOf } from '../outbox/mark'
import { type ListMarked, markedMessages } from '../outbox/marked-messages'
import { MIN_REDELIVERY_MS, READ_CONVERSATION_MS } from '../time-limits'
import { failedAtMost } from './failed-redeliveries'
import { takeLock } from './lock'
import type { Report } from './report'
import { Tries } from './tries'

export type RedeliveryOptions = {
  mark: Mark
  /** Botpress's id. Without it: all conversations. */
  conversationId?: string
  /** No older messages (ISO 8601). */
  since?: string
  turns?: Turn[]
  /** When the call ends at the latest, in milliseconds since 1970. */
  deadline: number
}

/** What is tried before the next turn comes, over all conversations. */
export type Turn = {
  /** Botpress looks for them. */
  tags?: DeliveryTags
  isWanted?: (message: Message) => boolean
}

/** What failed more often comes later. */
const REQUESTED_TURNS: Turn[] = [
  { tags: FRESH },
  ...[1, 2, 3, 4, 6, Infinity].map((times) => ({ isWanted: failedAtMost(times) })),
]

/**
 * Delivers marked messages again, with one try each, until there are no more, the endpoint is down, or the time is up. One
 * call does so at a time.
 *
 * @throws RuntimeError when the endpoint is not configured; what the caller's client throws before the first try: after it,
 * the report has it
 */
export const redeliver = async (
  caller: Caller,
  { ctx, logger }: Pick<bp.HandlerProps, 'ctx' | 'logger'>,
  { mark, conversationId, since = '', turns = REQUESTED_TURNS, deadline }: RedeliveryOptions
): Promise<Report> => {
  const endpoint = endpointOf(ctx.configuration)
  const beginUntil = deadline - MIN_REDELIVERY_MS
  const isOutOfTime = () => Date.now() >= beginUntil
  /** Calls Botpress while there is time to begin a try. */
  const ask = <T>(work: () => Promise<T>, limitMs = Infinity): Promise<T> =>
    withRetries(work, { limitMs: Math.max(Math.min(beginUntil - Date.now(), limitMs), 0) })

  const list = async (query: Parameters<ListMarked>[0], more?: DeliveryTags, limitMs?: number) => {
    const tags = { ...more, delivery: mark }
    const { messages, meta } = await ask(() => caller.client.listMessages({ ...query, tags }), limitMs)
    const young = messages.filter(({ createdAt }) => createdAt >= since)
    // The list may lag behind the tags. Where older messages than wanted begin, it ends.
    return { messages: young.filter((one) => markOf(one) === mark), meta: young.length < messages.length ? {} : meta }
  }
  const isAnythingMarked = async (): Promise<boolean> => {
    const { messages, meta } = await list({ conversationId })
    return messages.length > 0 || meta.nextToken !== undefined
  }

  const report: Report = { delivered: 0, undelivered: 0, more: false }
  if (!(await isAnythingMarked())) return report
  const unlock = await takeLock(caller, { logger, until: deadline, ask })
  if (!unlock) {
    return { ...report, more: true, reason: 'Another redelivery is at work. Ask again after a few seconds.' }
  }

  const reportFailure = (thrown: unknown) => {
    const failure = BotpressFailure.in(thrown)
    if (!failure) throw thrown
    report.more = true
    // Out of time, a call to Botpress is broken off, which is no failure.
    if (!isOutOfTime()) report.reason = `Botpress failed: ${failure.reason}.`
  }
  const tries = new Tries({ caller, endpoint, logger, deadline, report, reportFailure, ask })
  const seen = new Set<string>()
  /** @returns whether to go on with the next turn */
  const take = async ({ tags, isWanted = () => true }: Turn): Promise<boolean> => {
    const listOfTurn: ListMarked = async (query) => {
      try {
        return await list(query, tags, READ_CONVERSATION_MS)
      } catch (thrown) {
        // A conversation that cannot be listed now is passed over.
        if (BotpressFailure.in(thrown)?.isTemporary) reportFailure(thrown)
        throw thrown
      }
    }
    const isNew = (message: Message) => !seen.has(message.id) && isWanted(message)
    let goesOn = true
    for await (const message of markedMessages(listOfTurn, conversationId, isNew)) {
      report.more ||= !goesOn || isOutOfTime()
      if (!goesOn || isOutOfTime()) return false
      seen.add(message.id)
      goesOn = await tries.tryOnce(message)
    }
    return goesOn
  }

  try {
    for (const turn of turns) {
      if (!(await take(turn)) || !(await isAnythingMarked())) break
    }
  } catch (thrown) {
    reportFailure(thrown)
  } finally {
    await tries.done()
    await unlock()
  }
  const { delivered, undelivered, reason } = report
  const log = logger.forBot()
  if (delivered > 0) log.info(`Messages of an outage that are delivered now: ${delivered}.`)
  if (undelivered > 0) log.error(`Messages that could still not be delivered: ${undelivered}. ${reason}`)
  else if (reason) log.error(`The redelivery did not come to its end. ${reason}`)
  return report
}
