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
import { DELIVERY, postMessage } from '../endpoint/post-message'
import { EndpointRecord } from '../outbox/endpoint-record'
import { Lease } from './lease'
import { type DeliveryTags, type Mark, markAfter, tagMessage } from '../outbox/mark'
import { OldestFirst } from './oldest-first'

/** What is left in the end to tell Botpress how the last ones have fared. */
const LAST_CALLS_MS = 3000

/** A try that could not wait that long for an answer is not begun: what is cut off may have arrived. */
const MIN_TRY_MS = 8000

/** A call that has less time than this begins none. */
export const MIN_REDELIVERY_MS = LAST_CALLS_MS + MIN_TRY_MS

/** What nobody has asked for waits no longer for Botpress: it is found the next time. */
const PATIENT_ASK_MS = 5000

/** Of the time to begin tries in, what may go on looking for the oldest message. */
const LOOKING_SHARE = 0.6

/** A message that the endpoint has failed on in so many redeliveries holds up the others no longer: it may be its fault. */
const MAX_FAILURES = 2

export type Wanted = {
  mark: Mark
  /** Botpress's id. Without it: those of all conversations. */
  conversationId?: string
  /** No older ones (ISO 8601). */
  since?: string
  /** Ids of messages to pass over. Those that are tried in vain are added. */
  triedInVain: Set<string>
  /** Whether it leaves alone what another call redelivers. */
  isPatient: boolean
  /** Until when it begins tries, and when all is done: in milliseconds since 1970. */
  beginUntil: number
  deadline: number
}

export type Redelivery = {
  delivered: number
  /** Those that were found and are not delivered. */
  undelivered: number
  /** The last failure, in the words of the bot's log. */
  reason?: string
  /** `leased` where another call redelivers the same. */
  end: 'all tried' | 'out of time' | 'failed' | 'leased'
  /** Until when it does so at the most, in milliseconds since 1970. */
  leasedUntil?: number
}

/**
 * Delivers again what has a mark, the oldest message first, each with one try. Goes past what the endpoint refuses for good;
 * ends when it is down, Botpress fails, or the time is up.
 *
 * @param caller asks Botpress
 * @throws what the caller's client throws, where it does so before any message was found
 */
export const redeliver = (
  caller: Caller,
  props: Pick<bp.HandlerProps, 'ctx' | 'logger'>,
  wanted: Wanted
): Promise<Redelivery> => new Run(caller, props, wanted).redeliver()

const numberOf = (messages: number): string => (messages === 1 ? '1 message' : `${messages} messages`)

/** One redelivery. */
class Run {
  private readonly report: Redelivery = { delivered: 0, undelivered: 0, end: 'all tried' }
  private readonly tried = new Set<string>()
  private readonly triesUntil: number
  private readonly oldestFirst: OldestFirst
  private readonly lease: Lease
  private slowestMs = 0
  /** Resolves when the last answer has been read to its end: the endpoint may still work. */
  private answerDone = Promise.resolve()

  constructor(
    private readonly caller: Caller,
    private readonly props: Pick<bp.HandlerProps, 'ctx' | 'logger'>,
    private readonly wanted: Wanted
  ) {
    const { mark, conversationId, since = '', triedInVain, beginUntil, deadline } = wanted
    const { client } = caller
    this.triesUntil = deadline - LAST_CALLS_MS
    this.oldestFirst = new OldestFirst({
      list: async (nextToken) => {
        const { messages, meta } = await this.ask(() =>
          client.listMessages({ conversationId, tags: { delivery: mark }, nextToken })
        )
        this.lease.see(messages)
        return { messages, nextToken: meta.nextToken }
      },
      isWanted: ({ id }) => !this.tried.has(id) && !triedInVain.has(id),
      isTooOld: ({ createdAt }) => createdAt < since,
      lookUntil: Date.now() + (beginUntil - Date.now()) * LOOKING_SHARE,
    })
    this.lease = new Lease({
      tag: (id, tags) => this.tag(id, tags),
      getMessage: async (id) => (await this.ask(() => client.getMessage({ id }))).message,
      isPatient: wanted.isPatient,
    })
  }

  async redeliver(): Promise<Redelivery> {
    const { report, oldestFirst } = this
    let given = 0
    try {
      for await (const page of oldestFirst.pages()) {
        given += page.length
        if (page.length > 0 && !(await this.workOn(page))) break
      }
      if (report.end === 'all tried' && oldestFirst.isCut) report.end = 'out of time'
    } catch (thrown) {
      const failure = BotpressFailure.in(thrown)
      if (given === 0 || !(failure || thrown instanceof RuntimeError)) throw thrown
      report.reason = failure ? `Botpress failed: ${failure.reason}.` : (thrown as RuntimeError).message
      report.end = 'failed'
    }
    report.undelivered = oldestFirst.skipped + given + oldestFirst.waiting - report.delivered
    if (report.end === 'out of time' && this.tried.size === 0)
      report.reason = 'There was no time to try any: Botpress was slow.'
    this.log()
    return report
  }

  private log(): void {
    const { delivered, undelivered, reason } = this.report
    const log = this.props.logger.forBot()
    if (delivered > 0) log.info(`Redelivered ${numberOf(delivered)} that the endpoint had not taken.`)
    if (reason) log.error(`${numberOf(undelivered)} not delivered yet. ${reason}`)
  }

  /** @returns whether to go on with the next page */
  private async workOn(messages: Message[]): Promise<boolean> {
    const endpoint = endpointOf(this.props.ctx.configuration)
    const record = EndpointRecord.of(this.caller.installation, endpoint.url)
    const hasLease = await this.lease.take(messages)
    this.report.leasedUntil = this.lease.othersUntil
    if (!hasLease) return this.end(this.lease.othersUntil === undefined ? 'failed' : 'leased')
    const unmarkings: Promise<boolean>[] = []
    const unmark = async (message: Message): Promise<boolean> => {
      const isDone = await this.tag(message.id, { delivery: '', redelivery: '', redeliveryFailures: '' })
      if (!isDone) record.stillMarked.add(message.id)
      else {
        record.stillMarked.delete(message.id)
        this.lease.forget(message.id)
      }
      return isDone
    }
    try {
      const externalIds = await this.ask(() => externalConversationIds(this.caller, messages))
      for (const message of messages) {
        if (Date.now() > Math.min(this.wanted.beginUntil, this.triesUntil - 1.5 * this.slowestMs)) {
          return this.end('out of time')
        }
        await this.lease.renew()
        this.tried.add(message.id)
        if (!record.stillMarked.has(message.id)) {
          const failure = await this.failureOf(endpoint, message, externalIds.get(message.conversationId))
          if (failure && (await this.isEndAfter(failure, message))) return this.end('failed')
          if (failure) continue
          record.isDown = false
        }
        this.report.delivered++
        unmarkings.push(unmark(message))
        await this.answerDone
      }
      // Where Botpress takes nothing, what is delivered would come again.
      return (await Promise.all(unmarkings)).every(Boolean) || this.end('failed')
    } finally {
      await Promise.all(unmarkings)
      await this.lease.release()
    }
  }

  /** Tries a message once. */
  private async failureOf(
    endpoint: Endpoint,
    message: Message,
    externalId: string | undefined
  ): Promise<EndpointFailure | RuntimeError | undefined> {
    const { id, createdAt, conversationId } = message
    if (externalId === undefined) {
      return new RuntimeError(
        `The message ${id} was not delivered: its conversation ${conversationId} is gone, or has no external id.`
      )
    }
    const start = Date.now()
    const body = outgoingMessageOf(message, externalId)
    const outgoing = { id, createdAt, body, overNewConnection: this.tried.size === 1 }
    try {
      const limits = { ...DELIVERY, retries: 0, timeoutMs: this.triesUntil - start }
      this.answerDone = (await postMessage(endpoint, outgoing, limits)).done
      return undefined
    } catch (thrown) {
      if (thrown instanceof EndpointFailure) return thrown
      throw thrown
    } finally {
      this.slowestMs = Math.max(this.slowestMs, Date.now() - start)
    }
  }

  /** Whether a failure tells that the endpoint is down; one of the message alone is passed over from then on. */
  private async isEndAfter(failure: EndpointFailure | RuntimeError, { id, tags }: Message): Promise<boolean> {
    if (failure instanceof RuntimeError) this.report.reason = failure.message
    else {
      this.report.reason = failure.reportOn(id)
      const { isTemporary, isReached, status } = failure.details
      const failures = Number(tags['redeliveryFailures'] ?? 0)
      if (isTemporary) {
        // Where nobody was there, or asked for patience, it is no fault of the message.
        if (!isReached || status === 429) return true
        if (failures < MAX_FAILURES) {
          await this.tag(id, { redeliveryFailures: String(failures + 1) })
          return true
        }
      }
      if (markAfter(failure) === 'unknown' && this.wanted.mark !== 'unknown') {
        this.props.logger.forBot().error(failure.reportOn(id))
        await this.tag(id, { delivery: 'unknown' })
      }
    }
    this.wanted.triedInVain.add(id)
    return false
  }

  private end(how: Redelivery['end']): false {
    this.report.end = how
    return false
  }

  private ask<T>(work: () => Promise<T>): Promise<T> {
    const leftMs = Math.max(this.wanted.deadline - Date.now(), 0)
    return withRetries(work, { limitMs: this.wanted.isPatient ? Math.min(leftMs, PATIENT_ASK_MS) : leftMs })
  }

  private tag(id: string, tags: DeliveryTags): Promise<boolean> {
    return tagMessage(this.caller, id, tags, { logger: this.props.logger, deadline: this.wanted.deadline })
  }
}
