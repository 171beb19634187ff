import type { Client, Message } from '@botpress/client'
import { BotpressFailure } from '../botpress/botpress-failure'
import { inTime } from '../botpress/transport'
import { type Clock, lookAgain, REAL_CLOCK } from '../botpress/look-again'
import { MAX_LOOK_PAUSE_MS, QUIET_MS } from '../time-limits'

export type WaitOptions = {
  /** The message that the replies are to, as Botpress has it. */
  sent: Message
  waitMs: number
  /** Wait for so many, however far apart they are. Without it, a second of silence after a reply ends the wait. */
  enough?: number
}

/**
 * Waits for the bot's replies: for as many as are enough, or, if nobody said how many, for the first one, and then until
 * none has followed for a second. Looks each time at all messages since the one that was sent, as a reply may become visible
 * later than a newer one.
 *
 * @param client acts as the caller
 * @returns the bot's messages since then, oldest first: those seen when the time is up or Botpress refuses to tell. No
 * failure of Botpress is thrown, as the message is in.
 */
export const waitForReplies = async (
  client: Client,
  { sent, waitMs, enough }: WaitOptions,
  clock: Clock = REAL_CLOCK
): Promise<Message[]> => {
  let replies: Message[] = []
  let quietAt = Infinity
  await lookAgain(
    async (limitMs) => {
      const start = clock.now()
      const found: Message[] = []
      const failure = await inTime(limitMs, () => look(client, sent, found)).catch(failureOrThrow)
      const before = replies.length
      // A look that failed has seen only the newest.
      replies = merged(replies, found, !failure)
      const hasMore = replies.length > before
      const isQuiet = start >= quietAt && !hasMore
      if (hasMore && enough === undefined) quietAt = clock.now() + QUIET_MS
      if (failure) throw failure
      return { isDone: isQuiet || replies.length >= (enough ?? Infinity), nextAt: quietAt }
    },
    { waitMs, maxPauseMs: MAX_LOOK_PAUSE_MS },
    clock
  )
  return replies
}

/** The replies with those that were found, each once, oldest first. */
const merged = (replies: Message[], found: Message[], isComplete: boolean): Message[] => {
  const seen = found.filter(({ direction }) => direction === 'outgoing').reverse()
  // Botpress's list tells the order of those of the same millisecond.
  const inOrder = isComplete ? [...seen, ...replies] : [...replies, ...seen]
  const byId = new Map(inOrder.map((message) => [message.id, message]))
  return [...byId.values()].sort((a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt))
}

/** Collects the messages of a conversation since one of them in `found`, newest first, also if it fails before the end. */
const look = async (
  client: Client,
  { id, conversationId, createdAt }: Message,
  found: Message[]
): Promise<undefined> => {
  let nextToken: string | undefined
  do {
    const { messages, meta } = await client.listMessages({ conversationId, nextToken })
    // The message itself may have been deleted since.
    const end = messages.findIndex((message) => message.id === id || message.createdAt < createdAt)
    if (end >= 0) return void found.push(...messages.slice(0, end))
    found.push(...messages)
    nextToken = meta.nextToken
  } while (nextToken)
}

const failureOrThrow = (thrown: unknown): BotpressFailure => {
  const failure = BotpressFailure.in(thrown)
  if (!failure) throw thrown
  return failure
}
