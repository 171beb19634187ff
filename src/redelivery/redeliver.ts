import type { Message } from '@botpress/client'
import type * as bp from '.botpress'
import { BotpressFailure } from '../botpress/botpress-failure'
import type { Caller } from '../botpress/caller'
import { externalConversationId, forgetExternalId } from '../botpress/directory'
import { withRetries } from '../botpress/with-retries'
import { type Configuration, endpointOf } from '../configuration'
import { outgoingMessageOf } from '../messages/outgoing-message'
import { currentMark, type DeliveryTags, FRESH, type Mark, markOf, tagMessage, UNMARKED } from '../outbox/mark'
import { markedMessages } from '../outbox/marked-messages'
import { CALL_MS, MIN_REDELIVERY_MS, READ_CONVERSATION_MS } from '../time-limits'
import { failedAtMost } from './failed-redeliveries'
import { takeLock } from './lock'
import { redeliverOne } from './redeliver-one'

export type RedeliveryOptions = {
  configuration: Configuration
  logger: bp.Logger
  mark: Mark
  /** Botpress's id. Without it: all conversations. */
  conversationId?: string
  /** No older messages (ISO 8601). */
  since?: string
  passes?: Pass[]
  /** When the call ends at the latest, in milliseconds since 1970. */
  deadline: number
}

/** One pass over all conversations. */
export type Pass = {
  /** Tags that Botpress filters by, beside the mark. */
  tags?: DeliveryTags
  /** Filters what Botpress has found. */
  isWanted?: (message: Message) => boolean
}

/** What failed more often comes later. */
const REQUESTED_PASSES: Pass[] = [
  { tags: FRESH },
  ...[1, 2, 3, 4, 6, Infinity].map((times) => ({ isWanted: failedAtMost(times) })),
]

/** How a redelivery went. */
export type Report = {
  delivered: number
  /** Messages that were tried and failed. */
  undelivered: number
  /** Whether others wait. */
  more: boolean
  /** The last failure, in words. */
  reason?: string
}

/**
 * Delivers marked messages again, with one try each, until none is left, the endpoint is down, or the time is up. Only one
 * call at a time does so.
 *
 * @throws RuntimeError if the endpoint is not configured; what the caller's client throws before the first try. Later failures
 * are in the report.
 */
export const redeliver = async (caller: Caller, options: RedeliveryOptions): Promise<Report> => {
  const { logger, passes = REQUESTED_PASSES, deadline } = options
  const run = new Run(caller, options)
  if (!(await run.isAnyLeft())) return run.report
  const unlock = await takeLock(caller, { logger, until: deadline, ask: run.ask })
  if (!unlock) {
    return { ...run.report, more: true, reason: 'Another redelivery is at work. Ask again after a few seconds.' }
  }
  try {
    for (const pass of passes) {
      const goesOn = await run.make(pass)
      if (!(await run.isAnyLeft())) break
      if (goesOn) continue
      run.report.more = true
      break
    }
  } catch (thrown) {
    run.noteFailure(thrown)
  } finally {
    await run.removalsDone()
    await unlock()
  }
  const { delivered, undelivered, reason } = run.report
  const log = logger.forBot()
  if (delivered > 0) log.info(`Delivered messages that had failed before: ${delivered}.`)
  if (undelivered > 0) log.error(`Messages that could still not be delivered: ${undelivered}. ${reason}`)
  else if (reason) log.error(`The redelivery ended early. ${reason}`)
  return run.report
}

/** At the same time. */
const MAX_REMOVALS = 20

class Run {
  readonly report: Report = { delivered: 0, undelivered: 0, more: false }
  private readonly tried = new Set<string>()
  /** Conversations that could not be read. */
  private readonly unreadable = new Set<string>()
  /** The removals of marks that are under way. */
  private readonly removals = new Set<Promise<void>>()
  /** Since the last one that succeeded. */
  private failedRemovals = 0
  private readonly endpoint

  constructor(
    private readonly caller: Caller,
    private readonly options: RedeliveryOptions
  ) {
    this.endpoint = endpointOf(options.configuration)
  }

  /** Calls Botpress, with retries, while there is time to begin a try. */
  readonly ask = <T>(work: () => Promise<T>, limitMs = Infinity): Promise<T> =>
    withRetries(work, { limitMs: Math.max(Math.min(this.beginUntil - Date.now(), limitMs), 0) })

  /** Whether messages that were not tried are marked. */
  async isAnyLeft(): Promise<boolean> {
    const { messages, meta } = await this.list({ conversationId: this.options.conversationId })
    return messages.some(({ id }) => !this.tried.has(id)) || meta.nextToken !== undefined
  }

  async removalsDone(): Promise<void> {
    await Promise.all(this.removals)
  }

  /** @returns whether to go on with the next pass */
  async make({ tags, isWanted = () => true }: Pass): Promise<boolean> {
    const isNew = ({ id, conversationId }: Message) => !this.tried.has(id) && !this.unreadable.has(conversationId)
    const messages = markedMessages((query) => this.list(query, tags, READ_CONVERSATION_MS), {
      conversationId: this.options.conversationId,
      isWanted: (message) => isNew(message) && isWanted(message),
      onSkip: (failure) => this.noteFailure(failure),
    })
    for await (const message of messages) {
      if (!isNew(message)) continue
      if (this.isOutOfTime() || !(await this.tryMessage(message))) return false
    }
    return true
  }

  /** Puts a failure of Botpress into the report. Calls that are aborted because the time is up are no failures. */
  noteFailure(thrown: unknown): void {
    const failure = BotpressFailure.in(thrown)
    if (!failure) throw thrown
    this.report.more = true
    if (!this.isOutOfTime()) this.report.reason = `Botpress failed: ${failure.reason}.`
  }

  private get beginUntil(): number {
    return this.options.deadline - MIN_REDELIVERY_MS
  }

  private isOutOfTime(): boolean {
    return Date.now() >= this.beginUntil
  }

  private async list(query: { conversationId?: string; nextToken?: string }, more?: DeliveryTags, limitMs?: number) {
    const { mark, since = '' } = this.options
    const tags = { ...more, delivery: mark }
    const { messages, meta } = await this.ask(() => this.caller.client.listMessages({ ...query, tags }), limitMs)
    const young = messages.filter(({ createdAt }) => createdAt >= since)
    // The list may lag behind the tags. It ends at the first message that is too old.
    return { messages: young.filter((one) => markOf(one) === mark), meta: young.length < messages.length ? {} : meta }
  }

  /** @returns whether to go on with the next message */
  private async tryMessage(message: Message): Promise<boolean> {
    const { caller, report, options, endpoint } = this
    const { id, conversationId, createdAt } = message
    this.tried.add(id)
    // Its own call may have delivered it since it was listed.
    const isYoung = Date.now() - Date.parse(createdAt) < CALL_MS
    if (isYoung && (await currentMark(caller.client, id, options.mark)) !== options.mark) return true
    let externalId: string | undefined
    try {
      externalId = await this.ask(() => externalConversationId(caller, conversationId), READ_CONVERSATION_MS)
    } catch (thrown) {
      this.unreadable.add(conversationId)
      this.noteFailure(thrown)
      return true
    }
    if (externalId === undefined) {
      // Its conversation is gone or has no external id, so it can never be delivered.
      await tagMessage(caller.client, id, UNMARKED, options)
      return true
    }
    const overNewConnection = report.delivered + report.undelivered === 0
    const body = outgoingMessageOf(message, externalId, options.configuration)
    const how = { ...options, endpoint }
    const { failure, isDown, removal } = await redeliverOne(caller, message, body, overNewConnection, how)
    if (failure) {
      report.undelivered++
      report.reason = failure.reportOn(id)
      return !isDown
    }
    const counted = this.count(message, removal!).finally(() => this.removals.delete(counted))
    this.removals.add(counted)
    // A slow removal holds nothing up, once one has shown that Botpress takes them.
    if (report.delivered === 0 || this.removals.size === MAX_REMOVALS) await Promise.race(this.removals)
    // Without removals, everything would be delivered again and again.
    return this.failedRemovals < 2
  }

  private async count({ conversationId }: Message, removal: ReturnType<typeof tagMessage>): Promise<void> {
    const outcome = await removal
    const isRemoved = outcome !== 'failed'
    // Perhaps with its conversation: look it up for the next message.
    if (outcome === 'gone') forgetExternalId(this.caller.installation, conversationId)
    this.failedRemovals = isRemoved ? 0 : this.failedRemovals + 1
    if (isRemoved) this.report.delivered++
    else this.report.reason = 'Botpress could not remove the mark of a message that was delivered.'
  }
}
