import * as z from 'zod'
import { isJsonObject, type JsonObject, usualMistake } from './json-object'

/** Deeper values overflow the stack of JSON.stringify. */
const MAX_DEPTH = 1000

const isWithinDepth = (value: unknown, depth: number): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (depth > 0 && Object.values(value).every((child) => isWithinDepth(child, depth - 1)))

/** Whether a field is as good as missing. */
export const isAbsent = (value: unknown): boolean => value === undefined || value === null || value === ''

const payloadError = ({ input }: { input?: unknown }): string => {
  const mistake = usualMistake(input)
  return mistake ? `must be an object: ${mistake}` : 'must be an object'
}

/** Any object. */
export const payloadField = () =>
  // Not z.record, which drops the key `__proto__`.
  z
    .custom<JsonObject>(isJsonObject, { error: payloadError, abort: false })
    .refine((payload) => isWithinDepth(payload, MAX_DEPTH), { error: `must be at most ${MAX_DEPTH} levels deep` })
    .meta({ type: 'object', additionalProperties: true })

/** What was sent as a payload; `undefined` if that is as good as missing. PHP writes an empty object as an empty array. */
export const presentPayload = (sent: unknown): unknown =>
  isAbsent(sent) || (Array.isArray(sent) && sent.length === 0) ? undefined : sent
