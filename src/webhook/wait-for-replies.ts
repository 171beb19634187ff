import type { Client, Message } from '@botpress/client'
import { setTimeout as setTimeoutPromise } from 'node:timers/promises'
import { BotpressFailure } from '../botpress/botpress-failure'
import { type OutgoingMessage, outgoingMessageOf } from '../endpoint/outgoing-message'

const FIRST_PAUSE_MS = 150
const MAX_PAUSE_MS = 1000

/** That long after the last reply, the bot has said what it had to say. */
const QUIET_MS = 1000

export type WaitOptions = {
  /** The message that the replies are to, as Botpress has it. */
  sent: Message
  /** The external id of its conversation. */
  conversationId: string
  waitMs: number
}

export type Clock = { now: () => number; sleep: (ms: number) => Promise<unknown> }

const REAL_CLOCK: Clock = { now: Date.now, sleep: (ms) => setTimeoutPromise(ms) }

/**
 * Waits for the bot's replies: for the first one, and then until none has followed for a second. Looks often at first,
 * and then more rarely.
 *
 * @param client acts as the caller
 * @returns the bot's messages since the one that was sent, the oldest first; those that have come, when the time is up or
 * Botpress refuses to tell. Throws nothing: the message is in.
 */
export const waitForReplies = async (
  client: Client,
  { sent, conversationId, waitMs }: WaitOptions,
  { now, sleep }: Clock = REAL_CLOCK
): Promise<OutgoingMessage[]> => {
  const replies: OutgoingMessage[] = []
  const deadline = now() + waitMs
  let newest = sent
  let quietSince = 0
  let lookMs = 0

  const look = async (): Promise<void> => {
    const start = now()
    const messages = await messagesSince(client, newest)
    lookMs = now() - start
    newest = messages.at(-1) ?? newest
    const outgoing = messages.filter(({ direction }) => direction === 'outgoing')
    if (outgoing.length > 0) quietSince = now()
    replies.push(...outgoing.map((message) => outgoingMessageOf(message, conversationId)))
  }

  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 1.5, MAX_PAUSE_MS)) {
    const untilQuiet = replies.length > 0 ? quietSince + QUIET_MS - now() : Infinity
    // The last look has to be over in time.
    const untilLastLook = deadline - now() - 2 * lookMs
    if (untilLastLook <= 0) break
    await sleep(Math.max(0, Math.min(pauseMs, untilQuiet, untilLastLook)))
    const before = replies.length
    const goOn = await isDoneWithin(deadline - now(), look())
    if (!goOn || (untilQuiet <= pauseMs && replies.length === before)) break
  }
  return [...replies]
}

/** Whether to look again: not where the time is up, or Botpress has refused this look and so would the next. */
const isDoneWithin = async (limitMs: number, look: Promise<void>): Promise<boolean> => {
  let timer: NodeJS.Timeout | undefined
  const outOfTime = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs)
  })
  const done = look.then(
    () => true,
    (thrown) => BotpressFailure.in(thrown)?.isTemporary === true
  )
  try {
    return await Promise.race([done, outOfTime])
  } finally {
    clearTimeout(timer)
  }
}

/** The messages of a conversation after one of them, the oldest first, from as many pages as there are. */
const messagesSince = async (client: Client, { id, conversationId, createdAt }: Message): Promise<Message[]> => {
  const found: Message[] = []
  let nextToken: string | undefined
  do {
    const { messages, meta } = await client.listMessages({ conversationId, nextToken })
    for (const message of messages) {
      if (message.id === id || message.createdAt < createdAt) return found.toReversed()
      found.push(message)
    }
    nextToken = meta.nextToken
  } while (nextToken)
  return found.toReversed()
}
