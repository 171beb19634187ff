import type { Client, Message } from '@botpress/client'
import { setTimeout as setTimeoutPromise } from 'node:timers/promises'
import { BotpressFailure } from '../botpress/botpress-failure'
import { abortable } from '../botpress/transport'
import { type OutgoingMessage, outgoingMessageOf } from '../messages/outgoing-message'
import { FIRST_LOOK_MS, MAX_LOOK_PAUSE_MS, QUIET_MS } from '../time-limits'

export type WaitOptions = {
  /** The message that the replies are to, as Botpress has it. */
  sent: Message
  /** The external id of its conversation. */
  conversationId: string
  waitMs: number
  /** Wait for so many, however far apart they are. Without it, a second of silence after a reply ends the wait. */
  enough?: number
}

export type Clock = { now: () => number; sleep: (ms: number) => Promise<unknown> }

const REAL_CLOCK: Clock = { now: Date.now, sleep: (ms) => setTimeoutPromise(ms) }

/** How a look at the conversation has ended. */
type Outcome = { complete: boolean; refused?: boolean; retryAfterMs?: number }

/**
 * Waits for the bot's replies: for as many as are enough, or, if nobody said how many, for the first one, and then until
 * none has followed for a second. Looks often at first, and then more rarely, each time at all that has come since the message: a reply may become
 * visible later than one that is newer.
 *
 * @param client acts as the caller
 * @returns the bot's messages since the one that was sent, the oldest first; those that have been seen, when the time is up
 * or Botpress refuses to tell. Throws nothing: the message is in.
 */
export const waitForReplies = (
  client: Client,
  { sent, conversationId, waitMs, enough }: WaitOptions,
  { now, sleep }: Clock = REAL_CLOCK
): Promise<OutgoingMessage[]> =>
  // A look that is under way when the answer goes ends with it.
  abortable(async () => {
    let replies: Message[] = []
    const deadline = now() + waitMs
    const quietMs = enough === undefined ? QUIET_MS : Infinity
    let quietSince = 0
    let lookMs = 0
    let last: Outcome = { complete: true }

    for (let pauseMs = FIRST_LOOK_MS; ; pauseMs = Math.min(pauseMs * 1.5, MAX_LOOK_PAUSE_MS)) {
      const untilQuiet = replies.length > 0 && last.complete ? quietSince + quietMs - now() : Infinity
      const nextPauseMs = Math.max(0, Math.min(pauseMs, untilQuiet), last.retryAfterMs ?? 0)
      const leftMs = deadline - now()
      if (leftMs <= 0 || (last.retryAfterMs ?? 0) >= leftMs) break
      // The last look should be over in time. One that takes longer is cut off, and what it has found by then counts.
      const untilLastLook = Math.max(0, leftMs - lookMs)
      const isLast = untilLastLook === 0
      await sleep(Math.min(nextPauseMs, untilLastLook))

      const start = now()
      const isQuiet = replies.length > 0 && start >= quietSince + quietMs
      const found: Message[] = []
      const outcome = await inTime(deadline - start, look(client, sent, found))
      lookMs = now() - start
      last = outcome ?? { complete: false }

      const before = replies.length
      replies = merged(replies, found, last.complete)
      const hasMore = replies.length > before
      if (hasMore) quietSince = now()
      if (!outcome || isLast || last.refused) break
      // A look that broke off has seen the newest ones only.
      if (last.complete && (replies.length >= (enough ?? Infinity) || (isQuiet && !hasMore))) break
    }
    return replies.map((reply) => outgoingMessageOf(reply, conversationId))
  })

/** The replies with those that were found, each once, the oldest first. */
const merged = (replies: Message[], found: Message[], isComplete: boolean): Message[] => {
  const seen = found.filter(({ direction }) => direction === 'outgoing').reverse()
  // Among those of the same millisecond, Botpress's list tells the order.
  const inOrder = isComplete ? [...seen, ...replies] : [...replies, ...seen]
  const byId = new Map(inOrder.map((message) => [message.id, message]))
  return [...byId.values()].sort((a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt))
}

/**
 * Looks at the messages of a conversation since one of them.
 *
 * @param found gets them page by page, the newest first: also those of a look that does not come to its end
 */
const look = async (client: Client, { id, conversationId, createdAt }: Message, found: Message[]): Promise<Outcome> => {
  try {
    let nextToken: string | undefined
    do {
      const { messages, meta } = await client.listMessages({ conversationId, nextToken })
      for (const message of messages) {
        // The message itself may have been deleted since.
        if (message.id === id || message.createdAt < createdAt) return { complete: true }
        found.push(message)
      }
      nextToken = meta.nextToken
    } while (nextToken)
    return { complete: true }
  } catch (thrown) {
    const failure = BotpressFailure.in(thrown)
    return { complete: false, refused: !failure?.isTemporary, retryAfterMs: failure?.more.retryAfterMs }
  }
}

/** What `work` resolves to, `undefined` where that takes longer. */
const inTime = async <T>(limitMs: number, work: Promise<T>): Promise<T | undefined> => {
  let timer: NodeJS.Timeout | undefined
  const outOfTime = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), limitMs)
  })
  try {
    return await Promise.race([work, outOfTime])
  } finally {
    clearTimeout(timer)
  }
}
