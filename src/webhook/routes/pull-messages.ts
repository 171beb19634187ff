import type { Client } from '@botpress/client'
import * as z from 'zod'
import { BotpressFailure } from '../../botpress/botpress-failure'
import { externalConversationId } from '../../botpress/directory'
import { lookAgain } from '../../botpress/look-again'
import { inTime } from '../../botpress/transport'
import { withRetries } from '../../botpress/with-retries'
import { outgoingMessageOf } from '../../messages/outgoing-message'
import { markOf, tagMessage, UNMARKED } from '../../outbox/mark'
import { markedMessages } from '../../outbox/marked-messages'
import { BOTPRESS_MS, MAX_PULL_PAUSE_MS } from '../../time-limits'
import { findConversation } from '../find-conversation'
import { parseJsonBody } from '../request/json-body'
import { appliedPreference, waitPreference } from '../request/preferences'
import { deliveryMark, externalId, parseFields } from '../request/request-fields'
import type { Route } from './route'

const MAX_MESSAGES = 100

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

type Pulled = { messages: object[]; more: boolean }

/** `POST /pull`: takes out what the backend has taken, and answers with messages that wait. */
export const pullMessages: Route = async (caller, { req, ctx, logger }) => {
  const start = Date.now()
  const until = start + BOTPRESS_MS
  const fields = req.body?.trim() ? parseJsonBody(req) : {}
  const { taken, limit, conversationId, delivery } = parseFields(pullRequest, { fields, place: 'body' })
  const wait = waitPreference(req.headers['prefer'])
  const ids = taken.filter((id): id is string => typeof id === 'string' && MESSAGE_ID.test(id))
  const conversation = await withRetries(() => findConversation(caller, conversationId))
  await unmark(caller.client, ids, until)

  const list = async (query: { conversationId?: string; nextToken?: string }) => {
    const { messages, meta } = await caller.client.listMessages({ ...query, tags: { delivery } })
    // The list may lag behind the tags.
    return { messages: messages.filter((message) => markOf(message) === delivery && !ids.includes(message.id)), meta }
  }
  const look = async (): Promise<Pulled> => {
    const pulled: (object & { createdAt: string })[] = []
    let more = false
    const waiting = markedMessages(list, { conversationId: conversation?.id, onSkip: () => (more = true) })
    for await (const message of waiting) {
      if (pulled.length === limit || (pulled.length > 0 && Date.now() >= until)) {
        more = true
        break
      }
      const external = conversationId ?? (await externalConversationId(caller, message.conversationId))
      // Nobody can be answered any more.
      if (external === undefined) await tagMessage(caller.client, message.id, UNMARKED, { logger, deadline: until })
      else pulled.push({ ...outgoingMessageOf(message, external, ctx.configuration), createdAt: message.createdAt })
    }
    pulled.sort((a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt))
    return { messages: pulled, more }
  }

  let pulled = await withRetries(look, { limitMs: Math.max(until - Date.now(), 0) })
  if (!wait) return { body: pulled }
  if (pulled.messages.length === 0) {
    const waitMs = start + wait.waitSeconds * 1000 - Date.now()
    await lookAgain(
      async (limitMs) => {
        pulled = await inTime(limitMs, look)
        return { isDone: pulled.messages.length > 0 }
      },
      { waitMs, maxPauseMs: MAX_PULL_PAUSE_MS }
    )
  }
  return { body: pulled, headers: { 'preference-applied': appliedPreference({ waitSeconds: wait.waitSeconds }) } }
}

const MESSAGE_ID = /^msg_\w{1,100}$/

/** At the same time. */
const MAX_REMOVALS = 20

/**
 * Removes the marks of messages.
 *
 * @param until when it must have ended, in milliseconds since 1970
 * @throws what the client throws, so that the request can be repeated; but not for messages that there are not
 */
const unmark = async (client: Client, ids: string[], until: number): Promise<void> => {
  for (let first = 0; first < ids.length; first += MAX_REMOVALS) {
    const removals = ids.slice(first, first + MAX_REMOVALS).map(async (id) => {
      const limitMs = Math.max(until - Date.now(), 0)
      try {
        await withRetries(() => client.updateMessage({ id, tags: UNMARKED }), { limitMs })
      } catch (thrown) {
        const failure = BotpressFailure.in(thrown)
        if (!failure?.isMissingResource && failure?.more.status !== 400) throw thrown
      }
    })
    await Promise.all(removals)
  }
}
