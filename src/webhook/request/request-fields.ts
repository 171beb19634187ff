import * as z from 'zod'
import { Problem } from '../problem'

/** A field that is a text of at least 1 character, and of at most `limit` where there is one. */
export const textField = (limit?: number) => {
  const shape = limit === undefined ? 'a string of at least 1 character' : `a string of 1 to ${limit} characters`
  const error = ({ input }: { input?: unknown }) => (input === undefined ? `is required: ${shape}` : `must be ${shape}`)
  const schema = z.string({ error }).min(1, { error })
  return limit === undefined ? schema : schema.max(limit, { error })
}

/** Half a surrogate pair, or what stands for bytes that are not UTF-8: with these, different ids would become one. */
const ILL_FORMED = /\p{Surrogate}|\ufffd/u

/** An id that the backend chose: a tag's value in Botpress, which has at most 500 characters. */
export const externalId = () =>
  textField(500).refine((id) => !ILL_FORMED.test(id), {
    error: 'must be well-formed Unicode, without U+FFFD: send UTF-8',
  })

/** How a message of the bot stands that is not known to have been delivered. */
export const deliveryMark = () => z.enum(['failed', 'unknown'], { error: 'must be "failed" or "unknown"' })

/** Where fields may be, for the words of a problem. */
export type Place = 'body' | 'form' | 'query'

export const PLACES: Record<Place, string> = {
  body: 'At fault in the body',
  form: 'The body was read as a form, as its Content-Type says. At fault in it',
  query: 'At fault in the query',
}

/**
 * Checks the fields of a request.
 *
 * @throws Problem 400 that lists every fault at once
 */
export const parseFields = <Schema extends z.ZodType>(
  schema: Schema,
  fields: unknown,
  place: Place
): z.output<Schema> => {
  const { success, data, error } = schema.safeParse(fields)
  if (success) return data
  const errors = error.issues.map(({ path, message }) => ({ path: path.join('.'), message }))
  throw new Problem(400, `${PLACES[place]}: ${errors.map(({ path }) => path).join(', ')}.`, { errors })
}
