import type { Message } from '@botpress/client'
import type * as bp from '.botpress'
import type { Caller } from '../botpress/caller'
import { externalConversationId } from '../botpress/directory'
import type { Endpoint } from '../configuration'
import { EndpointFailure } from '../endpoint/endpoint-failure'
import { DELIVERY, type RetryPolicy, postMessage } from '../endpoint/post-message'
import { outgoingMessageOf } from '../messages/outgoing-message'
import { type DeliveryTags, isUnmarked, tagMessage, UNMARKED } from '../outbox/mark'
import { READ_CONVERSATION_MS, REDELIVERY_TRY_MS } from '../time-limits'
import { oneMoreFailure } from './failed-redeliveries'
import type { Report } from './report'

const REDELIVERY: RetryPolicy = { ...DELIVERY, retries: 0, timeoutMs: REDELIVERY_TRY_MS }

/** At most so many marks are removed at the same time. */
const MAX_UNMARKINGS = 20

type TriesOptions = {
  caller: Caller
  endpoint: Endpoint
  logger: bp.Logger
  /** In milliseconds since 1970. */
  deadline: number
  report: Report
  reportFailure: (thrown: unknown) => void
  /** Calls Botpress, with retries. */
  ask: <T>(work: () => Promise<T>, limitMs: number) => Promise<T>
}

/** The tries of a redelivery, one per message, and what Botpress is told after each. */
export class Tries {
  /** Conversations that could not be read. */
  private readonly unreadable = new Set<string>()
  private readonly unmarkings = new Set<Promise<void>>()
  /** How many marks more were removed than could not be. */
  private unmarked = 0

  constructor(private readonly options: TriesOptions) {}

  /** @returns whether to go on with the next message */
  async tryOnce(message: Message): Promise<boolean> {
    const { caller, endpoint, report, reportFailure, ask } = this.options
    const { id, createdAt, conversationId } = message
    if (this.unreadable.has(conversationId)) return true
    let externalId: string | undefined
    try {
      externalId = await ask(() => externalConversationId(caller, conversationId), READ_CONVERSATION_MS)
    } catch (thrown) {
      this.unreadable.add(conversationId)
      reportFailure(thrown)
      return true
    }
    // Its conversation is gone, so it can never be delivered.
    if (externalId === undefined) return this.unmark(id, false)
    const body = outgoingMessageOf(message, externalId)
    const overNewConnection = report.delivered + report.undelivered === 0
    try {
      const { done } = await postMessage(endpoint, { id, createdAt, body, overNewConnection }, REDELIVERY)
      const [goesOn] = await Promise.all([this.unmark(id, true), done])
      return goesOn
    } catch (thrown) {
      if (!(thrown instanceof EndpointFailure)) throw thrown
      return this.failed(message, thrown)
    }
  }

  /** Resolves when Botpress has been told everything. */
  async done(): Promise<void> {
    await Promise.all(this.unmarkings)
  }

  /** @returns whether to go on: if not, the endpoint is down */
  private async failed(message: Message, failure: EndpointFailure): Promise<boolean> {
    const { caller, report } = this.options
    const { isReached = false, status = 0, mayHaveArrived } = failure.details
    report.undelivered++
    report.reason = failure.reportOn(message.id)
    // The endpoint may fail on this message: the next time, others come before it. The message's own call may have
    // delivered it meanwhile.
    if (isReached && status !== 429 && !(await isUnmarked(caller.client, message.id))) {
      const delivery = mayHaveArrived ? 'unknown' : undefined
      await this.tag(message.id, { delivery, redeliveryFailures: oneMoreFailure(message) })
    }
    return isReached && ![429, 502, 503, 504].includes(status)
  }

  /**
   * Removes a mark, in parallel with the next tries once one removal has shown that it works.
   *
   * @returns whether to go on: if Botpress removes no marks, all that is delivered would come again
   */
  private async unmark(id: string, isDelivered: boolean): Promise<boolean> {
    const { report } = this.options
    const unmark = async () => {
      const isDone = await this.tag(id, UNMARKED)
      this.unmarked += isDone ? 1 : -1
      if (isDone && isDelivered) report.delivered++
      if (!isDone) report.reason = 'Botpress could not remove the mark of a message that was delivered.'
      this.unmarkings.delete(unmarking)
    }
    const unmarking = unmark()
    this.unmarkings.add(unmarking)
    if (this.unmarked <= 0 || this.unmarkings.size === MAX_UNMARKINGS) await Promise.race(this.unmarkings)
    report.more ||= this.unmarked < 0
    return this.unmarked >= -1
  }

  private tag(id: string, tags: DeliveryTags): Promise<boolean> {
    const { caller, logger, deadline } = this.options
    return tagMessage(caller.client, id, tags, { logger, deadline })
  }
}
