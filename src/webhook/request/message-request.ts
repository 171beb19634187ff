import * as z from 'zod'
import { parseFormOrJson } from './form-body'
import type { Body } from './json-body'
import { isJsonObject, type JsonObject, usualMistake } from './json-object'
import { externalId, parseFields, textField } from './request-fields'

/** Beyond it JSON.stringify, which is recursive, runs out of stack. */
const MAX_DEPTH = 1000

const isWithinDepth = (value: unknown, depth: number): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (depth > 0 && Object.values(value).every((child) => isWithinDepth(child, depth - 1)))

const TEXT_200 = 'must be a string of at most 200 characters'

/** As Botpress has it. */
const MAX_URL_LENGTH = 40_000

/** RFC 3986: what a URL is made of, which `URL` itself takes more of. */
const URI = /^(?:[\w.~:/?[\]@!$&'()*+,;=-]|%[\da-f]{2})+(?:#(?:[\w.~:/?@!$&'()*+,;=-]|%[\da-f]{2})*)?$/i

const NO_URI = 'must be a URI: other characters are written with %'

const isAbsent = (value: unknown): boolean => value === undefined || value === null || value === ''

/** PHP writes an empty array for an object without fields. */
const isEmptyArray = (value: unknown): boolean => Array.isArray(value) && value.length === 0

const payloadError = ({ input }: { input?: unknown }): string => {
  const mistake = usualMistake(input)
  return mistake ? `must be an object: ${mistake}` : 'must be an object'
}

/** Lists the two rules below with the other faults, not after them. Nothing above may abort (zod's `custom` does). */
const when = ({ value }: { value: unknown }) => isJsonObject(value)

/** The body of a request that sends a message to the bot. */
export const messageRequest = z
  .object({
    userId: externalId().describe('Your id of the user.'),
    messageId: externalId().describe('Your id of the message. The same one in the same conversation is one message.'),
    conversationId: externalId().describe('Your id of the conversation. It comes back with every reply.'),
    type: textField(200).describe('`text`, or any other word for other kinds of message.'),
    text: z
      .string({ error: 'must be a string' })
      .nullable()
      .optional()
      .describe(
        'The text, or a summary of the payload for other types. Required where `type` is `text`, and where the payload is left out or empty.'
      ),
    // Not z.record, which drops the key `__proto__`: the bot gets what was sent.
    payload: z
      .custom<JsonObject>(isJsonObject, { error: payloadError, abort: false })
      .refine((payload) => isWithinDepth(payload, MAX_DEPTH), { error: `must be at most ${MAX_DEPTH} levels deep` })
      .meta({ type: 'object', additionalProperties: true })
      .describe(
        'Anything that the bot should get. If it is missing, `null`, `""` or `[]`, the bot gets `{ text }`; without a text, it gets the one beside it.'
      )
      .optional(),
    user: z
      .object({
        name: z.string({ error: TEXT_200 }).max(200, { error: TEXT_200 }).nullable().optional(),
        pictureUrl: z
          .string({ error: NO_URI })
          .max(MAX_URL_LENGTH, { error: `must be at most ${MAX_URL_LENGTH} characters` })
          // One that is too long is told already, and would run the pattern out of stack.
          .refine((url) => url.length > MAX_URL_LENGTH || (URL.canParse(url) && URI.test(url)), { error: NO_URI })
          .meta({ format: 'uri' })
          .nullable()
          .optional(),
      })
      .describe('The name and the picture of the Botpress user, kept up to date.')
      .optional(),
  })
  .refine(({ type, text, payload }) => !isAbsent(text) || (type !== 'text' && hasFields(payload)), {
    path: ['text'],
    error: 'is required, a string of at least 1 character, where type is "text" or the payload has no field',
    when,
  })
  .refine(({ type, payload }) => type !== 'text' || isAbsent(payload?.text) || typeof payload?.text === 'string', {
    path: ['payload', 'text'],
    error: 'must be a string where type is "text"',
    when,
  })

/** One that is no object is at fault itself. */
const hasFields = (payload: unknown): boolean =>
  payload !== undefined && !(isJsonObject(payload) && Object.keys(payload).length === 0)

/** A message for the bot, under the backend's own ids. */
export type IncomingMessage = {
  userId: string
  messageId: string
  conversationId: string
  type: string
  payload: JsonObject
  /** What the user is to have. */
  user?: { name?: string; pictureUrl?: string }
}

/**
 * Reads the body of a request that sends a message to the bot: JSON, or a form in which `payload` and `user` are JSON.
 *
 * @throws Problem 400 that lists every fault at once
 */
export const parseMessageRequest = (req: Body): IncomingMessage => {
  const given = parseFormOrJson(req, Object.keys(messageRequest.shape), ['payload', 'user'])
  const { payload: sent, user: profile } = given.fields
  const fields = {
    ...given.fields,
    user: presentFields(profile),
    payload: isAbsent(sent) || isEmptyArray(sent) ? undefined : sent,
  }
  const parsed = parseFields(messageRequest, { ...given, fields })
  const { userId, messageId, conversationId, type, text, payload, user } = parsed
  const takesText = !isAbsent(text) && isAbsent(payload?.text)
  return {
    userId,
    messageId,
    conversationId,
    type,
    payload: takesText ? { ...payload, text } : payload!,
    user: user && { name: user.name ?? undefined, pictureUrl: user.pictureUrl ?? undefined },
  }
}

/** v0.2.3 ignored a field `user`: what is none is ignored still, and what is empty in it is as left out. */
const presentFields = (user: unknown): object | undefined =>
  isJsonObject(user) ? Object.fromEntries(Object.entries(user).filter(([, value]) => !isAbsent(value))) : undefined
