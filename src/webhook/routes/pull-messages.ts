import type { Conversation, Message } from '@botpress/client'
import * as z from 'zod'
import type * as bp from '.botpress'
import { BotpressFailure } from '../../botpress/botpress-failure'
import type { Caller } from '../../botpress/caller'
import { externalConversationId } from '../../botpress/directory'
import { lookAgain } from '../../botpress/look-again'
import { inTime } from '../../botpress/transport'
import { withRetries } from '../../botpress/with-retries'
import type { Configuration } from '../../configuration'
import { type OutgoingMessage, outgoingMessageOf } from '../../messages/outgoing-message'
import { type Mark, markOf, tagMessage, UNMARKED } from '../../outbox/mark'
import { type ListMarked, markedMessages } from '../../outbox/marked-messages'
import { removeMarks } from '../../outbox/remove-marks'
import { BOTPRESS_MS, BOTPRESS_REQUEST_MS, MAX_PULL_PAUSE_MS } from '../../time-limits'
import { findConversation } from '../find-conversation'
import { parseJsonBody } from '../request/json-body'
import { appliedPreference, waitPreference } from '../request/preferences'
import { deliveryMark, externalId, parseFields } from '../request/request-fields'
import type { Route } from './route'

const MAX_MESSAGES = 100

const MESSAGE_ID = /^msg_\w{1,100}$/

const isLimit = (value: unknown): boolean =>
  Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MAX_MESSAGES

/** The body of a request that fetches messages of the bot. */
export const pullRequest = z.object({
  taken: z
    .array(z.unknown(), { error: 'must be a list of ids' })
    .max(MAX_MESSAGES, { error: `must have at most ${MAX_MESSAGES} ids` })
    .default([])
    .describe('The `botpressMessageId` of each message that you have taken: it is not given out again.'),
  // z.number would make the bundle 5 kB larger.
  limit: z
    .custom<number>(isLimit, { error: `must be a whole number from 1 to ${MAX_MESSAGES}` })
    .meta({ type: 'integer', minimum: 1, maximum: MAX_MESSAGES })
    .default(20)
    .describe('How many messages to answer with at most.'),
  conversationId: externalId().optional().describe('Your id of the conversation. If it is missing: all conversations.'),
  delivery: deliveryMark().default('waiting').describe('`failed` or `unknown` for what your endpoint has missed.'),
})

/** `POST /pull`: takes out what the backend has taken, and answers with messages that wait. */
export const pullMessages: Route = async (caller, { req, ctx, logger }) => {
  const start = Date.now()
  const deadline = start + BOTPRESS_MS
  const fields = req.body?.trim() ? parseJsonBody(req) : {}
  const { taken, limit, conversationId, delivery } = parseFields(pullRequest, { fields, place: 'body' })
  const wait = waitPreference(req.headers['prefer'])
  const ids = taken.filter((id): id is string => typeof id === 'string' && MESSAGE_ID.test(id))
  const conversation = await withRetries(() => findConversation(caller, conversationId))
  await removeMarks(caller.client, ids, deadline)

  const wanted = { taken: ids, limit, conversation, delivery, configuration: ctx.configuration, logger }
  const look = (limitMs: number, readMs = limitMs / 2) => findWaiting(caller, wanted, { limitMs, readMs })
  const waitUntil = wait ? start + wait.waitSeconds * 1000 : deadline
  // A short wait is for the bot: Botpress may take as long for a look as for any request.
  const firstUntil = Math.min(Math.max(waitUntil, Date.now() + BOTPRESS_REQUEST_MS), deadline)
  const leftMs = () => Math.max(firstUntil - Date.now(), 0)
  let found = await withRetries(() => look(leftMs()), { limitMs: leftMs() })
  if (!wait) return { body: found }
  if (found.messages.length === 0) {
    await lookAgain(
      async (limitMs) => {
        // A part of a conversation would be out of order: better to answer with none, and to read it the next time.
        found = await inTime(limitMs, () => look(limitMs, Infinity))
        return { isDone: found.messages.length > 0 }
      },
      { waitMs: waitUntil - Date.now(), maxPauseMs: MAX_PULL_PAUSE_MS }
    )
  }
  return { body: found, headers: { 'preference-applied': appliedPreference({ waitSeconds: wait.waitSeconds }) } }
}

type Wanted = {
  /** They may still be listed, as the list may lag behind the tags. */
  taken: string[]
  limit: number
  /** Without it: all. */
  conversation?: Conversation
  delivery: Mark
  configuration: Configuration
  logger: bp.Logger
}

/**
 * Messages with a mark, in each conversation the oldest first, and whether there are others.
 *
 * @param limitMs after half of it, what is found is answered with, however many others Botpress has still to list
 * @param readMs to read a conversation
 */
const findWaiting = async (
  caller: Caller,
  wanted: Wanted,
  { limitMs, readMs }: { limitMs: number; readMs: number }
) => {
  const { taken, limit, conversation, delivery, configuration, logger } = wanted
  const found: (OutgoingMessage & { createdAt: string })[] = []
  let more = false
  const start = Date.now()
  const deadline = start + limitMs
  const isWaiting = (message: Message) => markOf(message) === delivery && !taken.includes(message.id)
  const list: ListMarked = async (query) => {
    const { messages, meta } = await caller.client.listMessages({ ...query, tags: { delivery } })
    return { messages: messages.filter(isWaiting), meta }
  }
  const options = { conversationId: conversation?.id, readMs, onSkip: () => (more = true) }
  for await (const message of markedMessages(list, options)) {
    if (found.length === limit || (found.length > 0 && Date.now() >= start + limitMs / 2)) {
      more = true
      break
    }
    const { id, createdAt } = message
    let external = conversation?.tags['id']
    try {
      external ??= await externalConversationId(caller, message.conversationId)
    } catch (thrown) {
      if (!BotpressFailure.in(thrown)) throw thrown
      // It is there, and cannot be read now.
      more = true
      continue
    }
    // Nobody can be answered any more.
    if (external === undefined) await tagMessage(caller.client, id, UNMARKED, { logger, deadline })
    else found.push({ ...outgoingMessageOf(message, external, configuration), createdAt })
  }
  const messages = found.sort((a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt))
  return { messages, more }
}
