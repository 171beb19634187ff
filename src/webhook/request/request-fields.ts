import * as z from 'zod'
import { MARKS } from '../../outbox/mark'
import { type FieldError, Problem } from '../problem'
import type { JsonObject } from './json-object'

/** A text of 1 to `limit` characters. */
export const textField = (limit: number) => {
  const shape = `a string of 1 to ${limit} characters`
  const error = ({ input }: { input?: unknown }) => (input === undefined ? `is required: ${shape}` : `must be ${shape}`)
  return z.string({ error }).min(1, { error }).max(limit, { error })
}

/** Half a surrogate pair, or U+FFFD, which replaces bytes that are not UTF-8. With these, different ids would become one. */
const ILL_FORMED = /\p{Surrogate}|\ufffd/u

/** An id that the backend chose. In Botpress it is the value of a tag, which has at most 500 characters. */
export const externalId = () =>
  textField(500).refine((id) => !ILL_FORMED.test(id), {
    error: 'must be well-formed Unicode, without U+FFFD: send UTF-8',
  })

/** The mark of a message that is not known to be delivered. */
export const deliveryMark = () => z.enum(MARKS, { error: 'must be "failed", "unknown" or "waiting"' })

/** Where fields may be, with the first words of a problem. */
const PLACES = {
  body: 'Wrong in the body',
  form: 'The body was read as a form, as its Content-Type says. Wrong in it',
  query: 'Wrong in the query',
}

export type Place = keyof typeof PLACES

/** The fields of a request, before they are checked. */
export type Fields = {
  fields: JsonObject
  place: Place
  /** What is already known to be wrong with them. */
  errors?: FieldError[]
}

/**
 * Checks the fields of a request.
 *
 * @throws Problem 400 that lists every wrong field
 */
export const parseFields = <Schema extends z.ZodObject>(
  schema: Schema,
  { fields, place, errors: known = [] }: Fields
): z.output<Schema> => {
  const { success, data, error } = schema.safeParse(fields)
  const errors = known.filter(({ path }) => Object.hasOwn(schema.shape, path))
  if (success && errors.length === 0) return data
  for (const { path, message } of error?.issues ?? []) errors.push({ path: path.join('.'), message })
  const paths = [...new Set(errors.map(({ path }) => path))]
  throw new Problem(400, `${PLACES[place]}: ${paths.join(', ')}.`, { errors })
}
