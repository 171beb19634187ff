import type { Message } from '@botpress/client'
import { RuntimeError } from '@botpress/sdk'
import type * as bp from '.botpress'
import { BotpressFailure } from '../botpress/botpress-failure'
import type { Caller } from '../botpress/client'
import { externalConversationIds } from '../botpress/external-conversation-ids'
import { withRetries } from '../botpress/with-retries'
import { endpointOf } from '../configuration'
import { EndpointFailure } from '../endpoint/endpoint-failure'
import { outgoingMessageOf } from '../endpoint/outgoing-message'
import { DELIVERY } from '../endpoint/post-message'
import { EndpointRecord } from './endpoint-record'
import { type Mark, markAfter, setMark } from './mark'
import { OldestFirst } from './oldest-first'

/** How long a redelivery works at the most. */
export const REDELIVERY_MS = 20_000

/** What is left in the end to tell Botpress how the last ones have fared. */
const LAST_CALLS_MS = 3000

/** A try that could not wait that long for an answer is not begun: what is cut off may have arrived. */
const MIN_TRY_MS = 5000

/** Less than this is not worth a beginning. */
export const MIN_REDELIVERY_MS = LAST_CALLS_MS + MIN_TRY_MS

export type Wanted = {
  mark: Mark
  /** Botpress's id. Without it: those of all conversations. */
  conversationId?: string
  /** No older ones (ISO 8601). */
  since?: string
  /** In milliseconds since 1970. */
  deadline: number
}

export type Redelivery = {
  delivered: number
  /** Those that were tried in vain. */
  refused: number
  /** Those that were seen and not tried. */
  untried: number
  /** The last failure, in the words of the bot's log. */
  reason?: string
  /** What is older than this (ISO 8601) has been tried. */
  triedUpTo: string
  end: 'all tried' | 'out of time' | 'failed'
}

/**
 * Delivers again what has a mark, the oldest message first, each with one try. Goes past what the endpoint refuses for good;
 * ends when it is down, Botpress fails, or the time is up.
 *
 * @param caller asks Botpress
 * @throws what the caller's client throws, where it does so before any message was found
 */
export const redeliver = async (
  caller: Caller,
  { ctx, logger }: Pick<bp.HandlerProps, 'ctx' | 'logger'>,
  { mark, conversationId, since = '', deadline }: Wanted
): Promise<Redelivery> => {
  const outcome: Redelivery = { delivered: 0, refused: 0, untried: 0, triedUpTo: since, end: 'all tried' }
  const tried = new Set<string>()
  const triesUntil = deadline - LAST_CALLS_MS
  let neededMs = MIN_TRY_MS

  const ask = <T>(work: () => Promise<T>): Promise<T> =>
    withRetries(work, { limitMs: Math.max(deadline - Date.now(), 0) })
  const oldestFirst = new OldestFirst({
    list: async (nextToken) => {
      const { messages, meta } = await ask(() =>
        caller.client.listMessages({ conversationId, tags: { delivery: mark }, nextToken })
      )
      return { messages, nextToken: meta.nextToken }
    },
    isPassed: ({ id, createdAt }) => createdAt < outcome.triedUpTo || tried.has(id),
    lookUntil: (Date.now() + triesUntil - neededMs) / 2,
  })

  const tryOnce = async (message: Message, externalId: string | undefined): Promise<void> => {
    if (externalId === undefined) {
      throw new RuntimeError(
        `The message ${message.id} was not delivered: its conversation ${message.conversationId} is gone, or has no external id.`
      )
    }
    const endpoint = endpointOf(ctx.configuration)
    const start = Date.now()
    const outgoing = {
      id: message.id,
      createdAt: message.createdAt,
      body: outgoingMessageOf(message, externalId),
      overNewConnection: tried.size === 1,
    }
    const patience = { ...DELIVERY, retries: 0, timeoutMs: triesUntil - start }
    await EndpointRecord.of(caller.installation, endpoint.url).post(endpoint, outgoing, patience)
    neededMs = Math.max(neededMs, 1.5 * (Date.now() - start))
  }

  /** @returns whether to go on with the next page */
  const redeliverPage = async (messages: Message[]): Promise<boolean> => {
    const externalIds = await ask(() => externalConversationIds(caller, messages))
    const markings: Promise<void>[] = []
    const change = (id: string, to: Mark | undefined) => markings.push(setMark(caller, id, to, { logger, deadline }))
    try {
      for (const message of messages) {
        if (Date.now() + neededMs > triesUntil) {
          outcome.end = 'out of time'
          return false
        }
        tried.add(message.id)
        try {
          await tryOnce(message, externalIds.get(message.conversationId))
          outcome.delivered++
          change(message.id, undefined)
        } catch (thrown) {
          outcome.refused++
          if (thrown instanceof RuntimeError) outcome.reason = thrown.message
          else if (!(thrown instanceof EndpointFailure)) throw thrown
          else {
            outcome.reason = thrown.reportOn(message.id)
            if (markAfter(thrown) === 'unknown' && mark !== 'unknown') change(message.id, 'unknown')
            if (thrown.details.isTemporary) {
              outcome.end = 'failed'
              return false
            }
          }
        }
        outcome.triedUpTo = message.createdAt
      }
      return true
    } finally {
      await Promise.all(markings)
    }
  }

  let given = 0
  try {
    for await (const page of oldestFirst.pages()) {
      given += page.length
      if (!(await redeliverPage(page))) break
    }
  } catch (thrown) {
    const failure = BotpressFailure.in(thrown)
    if (!failure || given === 0) throw thrown
    outcome.reason = `Botpress failed: ${failure.reason}.`
    outcome.end = 'failed'
  }
  outcome.untried = given - outcome.delivered - outcome.refused + oldestFirst.waiting
  // What has not been seen is older, and may not be passed over the next time.
  if (!oldestFirst.hasSeenAll) outcome.triedUpTo = since
  return outcome
}
