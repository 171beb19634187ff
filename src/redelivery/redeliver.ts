import type { Message } from '@botpress/client'
import { RuntimeError } from '@botpress/sdk'
import type * as bp from '.botpress'
import { BotpressFailure } from '../botpress/botpress-failure'
import type { Caller } from '../botpress/caller'
import { externalConversationId } from '../botpress/directory'
import { withRetries } from '../botpress/with-retries'
import { type Endpoint, endpointOf } from '../configuration'
import { EndpointFailure } from '../endpoint/endpoint-failure'
import { outgoingMessageOf } from '../messages/outgoing-message'
import { DELIVERY, type Patience, postMessage } from '../endpoint/post-message'
import { type DeliveryTags, FRESH, isUnmarked, type Mark, markOf, tagMessage, UNMARKED } from '../outbox/mark'
import { type ListMarked, markedMessages } from '../outbox/marked-messages'
import { failedAtMost, oneMoreFailure } from './failed-redeliveries'
import { takeLock } from './lock'
import { MIN_REDELIVERY_MS, READ_CONVERSATION_MS, REDELIVERY_TRY_MS } from '../time-limits'

const REDELIVERY: Patience = { ...DELIVERY, retries: 0, timeoutMs: REDELIVERY_TRY_MS }

/** At most so many marks are removed at the same time. */
const MAX_UNMARKINGS = 20

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
  /** That Botpress looks for. */
  tags?: DeliveryTags
  isWanted?: (message: Message) => boolean
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

/** What failed more often comes later. */
const REQUESTED_TURNS: Turn[] = [
  { tags: FRESH },
  ...[1, 2, 4, Infinity].map((times) => ({ isWanted: failedAtMost(times) })),
]

/**
 * Delivers marked messages again, with one try each, until there are no more, the endpoint is down, or the time is up. One
 * call does so at a time.
 *
 * @throws what the caller's client throws before the first try: after it, the report has it
 */
export const redeliver = async (
  caller: Caller,
  props: Pick<bp.HandlerProps, 'ctx' | 'logger'>,
  options: RedeliveryOptions
): Promise<Report> => {
  const { logger } = props
  const run = new Run(caller, props, options)
  const { report } = run
  if (!(await run.isAnythingMarked())) return report
  const unlock = await takeLock(caller, { logger, until: options.deadline, ask: (work) => run.ask(work) })
  if (!unlock) {
    return { ...report, more: true, reason: 'Another redelivery is at work. Ask again after a few seconds.' }
  }
  try {
    await run.deliverAll()
  } finally {
    await unlock()
  }
  const { delivered, undelivered, reason } = report
  const log = logger.forBot()
  if (delivered > 0) log.info(`Messages of an outage that are delivered now: ${delivered}.`)
  if (undelivered > 0) log.error(`Messages that could still not be delivered: ${undelivered}. ${reason}`)
  else if (reason) log.error(`The redelivery did not come to its end. ${reason}`)
  return report
}

class Run {
  readonly report: Report = { delivered: 0, undelivered: 0, more: false }
  private readonly beginUntil: number
  private readonly seen = new Set<string>()
  /** Conversations that could not be read. */
  private readonly unreadable = new Set<string>()
  private readonly unmarkings = new Set<Promise<void>>()
  /** How many marks more were removed than could not be. */
  private unmarked = 0

  constructor(
    private readonly caller: Caller,
    private readonly props: Pick<bp.HandlerProps, 'ctx' | 'logger'>,
    private readonly options: RedeliveryOptions
  ) {
    this.beginUntil = options.deadline - MIN_REDELIVERY_MS
  }

  async isAnythingMarked(): Promise<boolean> {
    const { messages, meta } = await this.list({ conversationId: this.options.conversationId })
    return messages.length > 0 || meta.nextToken !== undefined
  }

  async deliverAll(): Promise<void> {
    try {
      const endpoint = endpointOf(this.props.ctx.configuration)
      for (const turn of this.options.turns ?? REQUESTED_TURNS) {
        if (!(await this.take(turn, endpoint)) || !(await this.isAnythingMarked())) break
      }
    } catch (thrown) {
      this.reportFailure(thrown)
    }
    await Promise.all(this.unmarkings)
  }

  /** @returns whether to go on with the next turn */
  private async take({ tags, isWanted = () => true }: Turn, endpoint: Endpoint): Promise<boolean> {
    const list: ListMarked = async (query) => {
      try {
        return await this.list(query, tags, READ_CONVERSATION_MS)
      } catch (thrown) {
        // The iterator passes over a conversation that cannot be listed now.
        if (BotpressFailure.in(thrown)?.isTemporary) this.reportFailure(thrown)
        throw thrown
      }
    }
    const isNew = (message: Message) => !this.seen.has(message.id) && isWanted(message)
    let goesOn = true
    for await (const message of markedMessages(list, this.options.conversationId, isNew)) {
      if (!goesOn || this.isOutOfTime) {
        this.report.more = true
        return false
      }
      this.seen.add(message.id)
      goesOn = await this.tryOnce(endpoint, message)
    }
    return goesOn
  }

  /** Calls Botpress while there is time to begin a try. */
  ask<T>(work: () => Promise<T>, limitMs = Infinity): Promise<T> {
    return withRetries(work, { limitMs: Math.max(Math.min(this.beginUntil - Date.now(), limitMs), 0) })
  }

  /** Lists a page of what is marked; the last one when older messages than wanted begin. */
  private async list(
    query: Parameters<ListMarked>[0],
    more: DeliveryTags = {},
    limitMs = Infinity
  ): ReturnType<ListMarked> {
    const { mark, since = '' } = this.options
    const tags = { ...more, delivery: mark }
    const { messages, meta } = await this.ask(() => this.caller.client.listMessages({ ...query, tags }), limitMs)
    const young = messages.filter(({ createdAt }) => createdAt >= since)
    return {
      // The list may lag behind the tags.
      messages: young.filter((message) => markOf(message) === mark),
      meta: young.length < messages.length ? {} : meta,
    }
  }

  private get isOutOfTime(): boolean {
    return Date.now() >= this.beginUntil
  }

  /** @returns whether to go on */
  private async tryOnce(endpoint: Endpoint, message: Message): Promise<boolean> {
    const { id, createdAt, conversationId } = message
    if (this.unreadable.has(conversationId)) return true
    let externalId: string | undefined
    try {
      externalId = await this.ask(() => externalConversationId(this.caller, conversationId), READ_CONVERSATION_MS)
    } catch (thrown) {
      this.unreadable.add(conversationId)
      this.reportFailure(thrown)
      return true
    }
    // Its conversation is gone, so it can never be delivered.
    if (externalId === undefined) return this.unmark(id, false)
    const body = outgoingMessageOf(message, externalId)
    const overNewConnection = this.report.delivered + this.report.undelivered === 0
    try {
      const { done } = await postMessage(endpoint, { id, createdAt, body, overNewConnection }, REDELIVERY)
      const [goesOn] = await Promise.all([this.unmark(id, true), done])
      return goesOn
    } catch (thrown) {
      if (!(thrown instanceof EndpointFailure)) throw thrown
      const { isReached = false, status = 0, mayHaveArrived } = thrown.details
      this.report.undelivered++
      this.report.reason = thrown.reportOn(id)
      // The message itself may be what the endpoint fails on: then others come before it. Its own call may have
      // delivered it meanwhile.
      if (isReached && status !== 429 && !(await isUnmarked(this.caller.client, id))) {
        const delivery = mayHaveArrived ? 'unknown' : undefined
        await this.tag(id, { delivery, redeliveryFailures: oneMoreFailure(message) })
      }
      return isReached && ![429, 502, 503, 504].includes(status)
    }
  }

  /**
   * Removes a mark, in parallel with the next tries once one removal has shown that it works.
   *
   * @returns whether to go on: if Botpress removes no marks, all that is delivered would come again
   */
  private async unmark(id: string, isDelivered: boolean): Promise<boolean> {
    const unmark = async () => {
      const isDone = await this.tag(id, UNMARKED)
      this.unmarked += isDone ? 1 : -1
      if (isDone && isDelivered) this.report.delivered++
      if (!isDone) this.report.reason = 'Botpress could not remove the mark of a message that was delivered.'
      this.unmarkings.delete(unmarking)
    }
    const unmarking = unmark()
    this.unmarkings.add(unmarking)
    if (this.unmarked <= 0 || this.unmarkings.size === MAX_UNMARKINGS) await Promise.race(this.unmarkings)
    this.report.more ||= this.unmarked < 0
    return this.unmarked >= -1
  }

  private tag(id: string, tags: DeliveryTags): Promise<boolean> {
    const { logger } = this.props
    return tagMessage(this.caller.client, id, tags, { logger, deadline: this.options.deadline })
  }

  /** A failure of Botpress or of the configuration. */
  private reportFailure(thrown: unknown): void {
    const failure = BotpressFailure.in(thrown)
    if (!failure && !(thrown instanceof RuntimeError)) throw thrown
    this.report.more = true
    if (!this.isOutOfTime)
      this.report.reason = failure ? `Botpress failed: ${failure.reason}.` : (thrown as Error).message
  }
}
