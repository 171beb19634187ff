import * as z from 'zod'
import { Problem } from './problem'
import { externalId, parseFields, textField } from './request-fields'

type JsonObject = Record<string, unknown>

const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Beyond it JSON.stringify, which is recursive, runs out of stack. */
const MAX_DEPTH = 1000

const isWithinDepth = (value: unknown, depth: number): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (depth > 0 && Object.values(value).every((child) => isWithinDepth(child, depth - 1)))

const TEXT_200 = 'must be a string of at most 200 characters'

/** The body of a request that sends a message to the bot. */
export const messageRequest = z
  .object({
    userId: externalId().describe('Your id of the user.'),
    messageId: externalId().describe('Your id of the message. The same one in the same conversation is one message.'),
    conversationId: externalId().describe('Your id of the conversation. It comes back with every reply.'),
    type: textField(200).describe('`text`, or any other word for other kinds of message.'),
    text: textField().describe('The text, or a summary of the payload for other types.'),
    // Not z.record, which drops the key `__proto__`: the bot gets what was sent.
    payload: z
      .custom<JsonObject>(isJsonObject, { error: 'must be an object' })
      .refine((payload) => isWithinDepth(payload, MAX_DEPTH), { error: `must be at most ${MAX_DEPTH} levels deep` })
      .meta({ type: 'object' })
      .describe(
        'Anything that the bot should get. Left out, it is `{ text }`; without a text, it gets the one beside it.'
      )
      .optional(),
    user: z
      .object(
        {
          name: z.string({ error: TEXT_200 }).max(200, { error: TEXT_200 }).optional(),
          pictureUrl: z.url({ error: 'must be a URL' }).optional(),
        },
        { error: 'must be an object' }
      )
      .describe('What the Botpress user is given when it is first created.')
      .optional(),
  })
  .refine(({ type, payload }) => type !== 'text' || isAbsent(payload?.text) || typeof payload?.text === 'string', {
    path: ['payload', 'text'],
    error: 'must be a string where type is "text"',
    // So that it is listed with the other faults and not after them.
    when: ({ value }) => isJsonObject(value),
  })

/** A message for the bot, under the backend's own ids. */
export type IncomingMessage = {
  userId: string
  messageId: string
  conversationId: string
  type: string
  payload: JsonObject
  /** What the user is given when it is first created. */
  user?: { name?: string; pictureUrl?: string }
}

/**
 * Reads the body of a request that sends a message to the bot.
 *
 * @throws Problem 400 that lists every fault at once
 */
export const parseMessageRequest = (body: string | undefined): IncomingMessage => {
  if (!body) {
    throw new Problem(400, 'The request has no body. Send a JSON object.')
  }
  const fields = parseFields(messageRequest, parseJsonObject(body), 'body')
  const { userId, messageId, conversationId, type, text, payload, user } = fields
  return {
    userId,
    messageId,
    conversationId,
    type,
    payload: payload === undefined || isAbsent(payload.text) ? { ...payload, text } : payload,
    user,
  }
}

const parseJsonObject = (body: string): JsonObject => {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    throw new Problem(400, 'The body is not JSON. Send a JSON object.')
  }
  if (!isJsonObject(value)) {
    throw new Problem(400, 'The body is JSON, but not an object. Send a JSON object.')
  }
  return value
}

const isAbsent = (value: unknown): boolean => value === undefined || value === null || value === ''
