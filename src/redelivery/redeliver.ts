import type { Message } from '@botpress/client'
import { RuntimeError } from '@botpress/sdk'
import type * as bp from '.botpress'
import { BotpressFailure } from '../botpress/botpress-failure'
import type { Caller } from '../botpress/client'
import { externalConversationIds } from '../botpress/external-conversation-ids'
import { withRetries } from '../botpress/with-retries'
import { type Endpoint, endpointOf } from '../configuration'
import { EndpointFailure } from '../endpoint/endpoint-failure'
import { outgoingMessageOf } from '../endpoint/outgoing-message'
import { DELIVERY, type Patience, postMessage } from '../endpoint/post-message'
import { type DeliveryTags, isUnmarked, type Mark, tagMessage, UNMARKED } from '../outbox/mark'
import { markedMessages } from '../outbox/marked-messages'
import { failedRedeliveries, oneMoreFailed } from './failed-redeliveries'
import { takeLock } from './lock'

const REDELIVERY: Patience = { ...DELIVERY, retries: 0, timeoutMs: 30_000 }

/** For what Botpress is told after the last try. */
const LAST_CALLS_MS = 3000

/** A call with less time left begins no try, as it could not wait for the answer: tries begin in its first 12 s. */
export const MIN_TIME_MS = REDELIVERY.timeoutMs + LAST_CALLS_MS

/** Longer than that, one conversation does not keep the others waiting. */
const READ_LIMIT_MS = 3000

/** At most so many marks are removed in parallel with the tries. */
const MAX_UNMARKINGS = 20

export type Wanted = {
  mark: Mark
  /** Botpress's id. Without it: all conversations. */
  conversationId?: string
  /** No older messages (ISO 8601). */
  since?: string
  /** Whether a message is to be tried now. Default: all of them. */
  isDue?: (message: Message) => boolean
  /** When the call ends at the latest, in milliseconds since 1970. */
  deadline: number
}

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
 * Delivers marked messages again, with one try each, until there are no more, the endpoint is down, or the time is up. One
 * call does so at a time.
 *
 * @returns the report, and whether the time was up
 * @throws what the caller's client throws before the first try: after it, the report has it
 */
export const redeliver = async (
  caller: Caller,
  props: Pick<bp.HandlerProps, 'ctx' | 'logger'>,
  wanted: Wanted
): Promise<{ report: Report; isOutOfTime: boolean }> => {
  const run = new Run(caller, props, wanted)
  if (!(await run.isAnythingMarked())) return run
  const unlock = await run.lock()
  if (!unlock) {
    run.report.more = true
    run.report.reason = 'Another redelivery is at work. Ask again after a few seconds.'
    return run
  }
  try {
    await run.deliverAll()
  } finally {
    await unlock().catch((thrown) => run.logLock(thrown))
  }
  return run
}

/** Whether a failure ends the run, as no other message would fare better. */
const endsRun = ({ isReached, status = 0 }: EndpointFailure['details']): boolean =>
  !isReached || [429, 502, 503, 504].includes(status)

/** Whether a failure is counted on its message, which may be at fault. */
const isCounted = ({ isReached, status }: EndpointFailure['details']): boolean => isReached === true && status !== 429

class Run {
  readonly report: Report = { delivered: 0, undelivered: 0, more: false }
  isOutOfTime = false
  private readonly beginUntil: number
  private unmarkings: Promise<boolean>[] = []
  private hasTried = false
  /** Conversations that could not be read. */
  private readonly unreadable = new Set<string>()

  constructor(
    private readonly caller: Caller,
    private readonly props: Pick<bp.HandlerProps, 'ctx' | 'logger'>,
    private readonly wanted: Wanted
  ) {
    this.beginUntil = wanted.deadline - MIN_TIME_MS
  }

  async isAnythingMarked(): Promise<boolean> {
    const { conversationId, since = '' } = this.wanted
    const { messages } = await this.list({ conversationId })
    return messages.some(({ createdAt }) => createdAt >= since)
  }

  async lock(): ReturnType<typeof takeLock> {
    try {
      return await takeLock(this.caller, this.wanted.deadline, (work) => this.ask(work))
    } catch (thrown) {
      // A Personal Access Token may have no right to it: then the request goes on without.
      if (this.caller.tokenOwner === 'caller' && BotpressFailure.in(thrown)?.isTemporary === false)
        return async () => {}
      throw thrown
    }
  }

  async deliverAll(): Promise<void> {
    const { conversationId, since, isDue = () => true } = this.wanted
    // Those that failed in no redelivery come first, and those that failed most often last.
    const rankOf = (message: Message) => (isDue(message) ? failedRedeliveries(message) : undefined)
    const lookUntil = (Date.now() + this.beginUntil) / 2
    const wanted = { conversationId, since, rankOf, lookUntil }
    try {
      const endpoint = endpointOf(this.props.ctx.configuration)
      let goesOn = true
      for await (const message of markedMessages((query) => this.list(query), wanted)) {
        this.isOutOfTime = goesOn && Date.now() >= this.beginUntil
        this.report.more ||= !goesOn || this.isOutOfTime
        if (!goesOn || this.isOutOfTime) break
        goesOn = await this.deliver(endpoint, message)
      }
    } catch (thrown) {
      const reason = this.inWords(thrown)
      this.report.more = true
      this.isOutOfTime = Date.now() >= this.beginUntil
      if (!this.isOutOfTime) this.report.reason = reason
    }
    await Promise.all(this.unmarkings)
    this.log()
  }

  /** @returns whether to go on */
  private async deliver(endpoint: Endpoint, message: Message): Promise<boolean> {
    const { id, createdAt, conversationId } = message
    if (this.unreadable.has(conversationId)) return true
    let externalId: string | undefined
    try {
      const externalIds = await this.ask(() => externalConversationIds(this.caller, [message]), READ_LIMIT_MS)
      externalId = externalIds.get(conversationId)
    } catch (thrown) {
      this.unreadable.add(conversationId)
      this.report.more = true
      this.report.reason = this.inWords(thrown)
      return true
    }
    // Its conversation is gone, so it can never be delivered.
    if (externalId === undefined) return this.unmark(id)
    const outgoing = {
      id,
      createdAt,
      body: outgoingMessageOf(message, externalId),
      overNewConnection: !this.hasTried,
    }
    this.hasTried = true
    try {
      const { done } = await postMessage(endpoint, outgoing, REDELIVERY)
      const goesOn = await this.unmark(id, () => this.report.delivered++)
      // The endpoint may still work on it: the next message comes after it.
      await done
      return goesOn
    } catch (thrown) {
      if (!(thrown instanceof EndpointFailure)) throw thrown
      this.report.undelivered++
      this.report.reason = thrown.reportOn(id)
      if (isCounted(thrown.details)) await this.count(message, thrown)
      return !endsRun(thrown.details)
    }
  }

  /** Counts a failure on the message. */
  private async count(message: Message, failure: EndpointFailure): Promise<void> {
    const { id } = message
    const tags: DeliveryTags = { redeliveryFailures: oneMoreFailed(message) }
    if (failure.details.mayHaveArrived && this.wanted.mark !== 'unknown') {
      // Its own call may have delivered it meanwhile.
      if (await isUnmarked(this.caller.client, id)) return
      this.props.logger.forBot().error(failure.reportOn(id))
      tags.delivery = 'unknown'
    }
    await this.tag(id, tags)
  }

  /** @returns whether to go on: while Botpress removes no marks, all that is delivered would come again */
  private async unmark(id: string, onDone?: () => void): Promise<boolean> {
    const unmarking = this.tag(id, UNMARKED).then((isDone) => {
      if (isDone) onDone?.()
      else {
        this.report.more = true
        this.report.reason = 'Botpress does not remove the marks of messages that were delivered.'
      }
      return isDone
    })
    this.unmarkings.push(unmarking)
    // The first one shows whether it does.
    if (this.unmarkings.length > 1 && this.unmarkings.length < MAX_UNMARKINGS) return true
    const done = await Promise.all(this.unmarkings)
    this.unmarkings = [unmarking]
    return done.every(Boolean)
  }

  private log(): void {
    const { delivered, undelivered, reason } = this.report
    const log = this.props.logger.forBot()
    if (delivered > 0) log.info(`Redelivered ${numberOf(delivered)} that the endpoint had not taken.`)
    if (reason) log.error(undelivered > 0 ? `${numberOf(undelivered)} could not be redelivered. ${reason}` : reason)
  }

  /** The lock could not be given back. */
  logLock(thrown: unknown): void {
    const reason = BotpressFailure.in(thrown)?.reason ?? String(thrown)
    this.props.logger.forBot().error(`The lock of the redelivery stays for up to 45 s, as Botpress failed: ${reason}.`)
  }

  private inWords(thrown: unknown): string {
    const failure = BotpressFailure.in(thrown)
    if (failure) return `Botpress failed: ${failure.reason}.`
    if (thrown instanceof RuntimeError) return thrown.message
    throw thrown
  }

  private list(query: { conversationId?: string; nextToken?: string }) {
    return this.ask(() => this.caller.client.listMessages({ ...query, tags: { delivery: this.wanted.mark } }))
  }

  /** Calls Botpress while there is time to begin a try. */
  private ask<T>(work: () => Promise<T>, limitMs = Infinity): Promise<T> {
    return withRetries(work, { limitMs: Math.max(Math.min(this.beginUntil - Date.now(), limitMs), 0) })
  }

  private tag(id: string, tags: DeliveryTags): Promise<boolean> {
    const { logger } = this.props
    return tagMessage(this.caller.client, id, tags, { logger, deadline: this.wanted.deadline })
  }
}

const numberOf = (messages: number): string => (messages === 1 ? '1 message' : `${messages} messages`)
