import * as z from 'zod'
import { parseFormOrJson } from './form-body'
import type { Body } from './json-body'
import { isJsonObject } from './json-object'
import { isAbsent, payloadField, presentPayload } from './payload'
import { externalId, parseFields, textField } from './request-fields'

const TEXT_200 = 'must be a string of at most 200 characters'

/** Botpress's limit. */
const MAX_URL_LENGTH = 40_000

/** The characters of a URI after RFC 3986. The class `URL` takes more. */
const URI = /^(?:[\w.~:/?[\]@!$&'()*+,;=-]|%[\da-f]{2})+(?:#(?:[\w.~:/?@!$&'()*+,;=-]|%[\da-f]{2})*)?$/i

const NO_URI = 'must be a URI: write other characters with %'

/** Checks the two rules below even if other fields are wrong. For that, nothing above may abort (zod's `custom` does). */
const when = ({ value }: { value: unknown }) => isJsonObject(value)

/** The body of a request that sends a message to the bot. */
export const messageRequest = z
  .object({
    userId: externalId().describe('Your id of the user.'),
    messageId: externalId().describe('Your id of the message. The same one in the same conversation is one message.'),
    conversationId: externalId().describe('Your id of the conversation. It comes back with every reply.'),
    type: textField(200).describe('`text`, or any other word for another kind of message.'),
    text: z
      .string({ error: 'must be a string' })
      .nullable()
      .optional()
      .describe(
        'The text, or a summary of the payload for other types. Required if `type` is `text`, or if the payload is missing or empty.'
      ),
    payload: payloadField()
      .describe(
        'Anything that the bot should get. If it is missing, `null`, `""` or `[]`, the bot gets `{ text }`. If it has no text, `text` is added to it.'
      )
      .optional(),
    user: z
      .object({
        name: z.string({ error: TEXT_200 }).max(200, { error: TEXT_200 }).nullable().optional(),
        pictureUrl: z
          .string({ error: NO_URI })
          .max(MAX_URL_LENGTH, { error: `must be at most ${MAX_URL_LENGTH} characters` })
          // A URL that is too long is wrong already, and would overflow the pattern's stack.
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
    error: 'is required, a string of at least 1 character, if type is "text" or the payload has no field',
    when,
  })
  .refine(({ type, payload }) => type !== 'text' || isAbsent(payload?.text) || typeof payload?.text === 'string', {
    path: ['payload', 'text'],
    error: 'must be a string if type is "text"',
    when,
  })

/** Or is not an object, which is told beside it. */
const hasFields = (payload: unknown): boolean =>
  payload !== undefined && !(isJsonObject(payload) && Object.keys(payload).length === 0)

/** A message for the bot, under the backend's own ids. */
export type IncomingMessage = ReturnType<typeof parseMessageRequest>

/**
 * Reads the body of a request that sends a message to the bot: JSON, or a form in which `payload` and `user` are JSON.
 *
 * @throws Problem 400 that lists every wrong field
 */
export const parseMessageRequest = (req: Body) => {
  const given = parseFormOrJson(req, ['payload', 'user'])
  const { payload: sent, user: profile } = given.fields
  const fields = { ...given.fields, user: presentFields(profile), payload: presentPayload(sent) }
  const { text, payload = {}, user, ...ids } = parseFields(messageRequest, { ...given, fields })
  return {
    ...ids,
    payload: !isAbsent(text) && isAbsent(payload['text']) ? { ...payload, text } : payload,
    user: user && { name: user.name ?? undefined, pictureUrl: user.pictureUrl ?? undefined },
  }
}

/** As in v0.2.3, a `user` that is not an object is ignored. Its empty fields count as missing. */
const presentFields = (user: unknown): object | undefined =>
  isJsonObject(user) ? Object.fromEntries(Object.entries(user).filter(([, value]) => !isAbsent(value))) : undefined
