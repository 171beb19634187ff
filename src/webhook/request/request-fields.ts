import * as z from 'zod'
import { Problem } from '../problem'

/** A field that is a text of at least 1 character, and of at most `limit` where there is one. */
export const textField = (limit?: number) => {
  const shape = limit === undefined ? 'a string of at least 1 character' : `a string of 1 to ${limit} characters`
  const error = ({ input }: { input?: unknown }) => (input === undefined ? `is required: ${shape}` : `must be ${shape}`)
  const schema = z.string({ error }).min(1, { error })
  return limit === undefined ? schema : schema.max(limit, { error })
}

/** An id that the backend chose: a tag's value in Botpress, which has at most 500 characters. */
export const externalId = () => textField(500)

/** How a message of the bot stands that is not known to have been delivered. */
export const deliveryMark = () => z.enum(['failed', 'unknown'], { error: 'must be "failed" or "unknown"' })

/**
 * Checks the fields of a request.
 *
 * @param place where the fields are, for the problem's words: `body` or `query`
 * @throws Problem 400 that lists every fault at once
 */
export const parseFields = <Schema extends z.ZodType>(
  schema: Schema,
  fields: unknown,
  place: 'body' | 'query'
): z.output<Schema> => {
  const { success, data, error } = schema.safeParse(fields)
  if (success) return data
  const errors = error.issues.map(({ path, message }) => ({ path: path.join('.'), message }))
  throw new Problem(400, `At fault in the ${place}: ${errors.map(({ path }) => path).join(', ')}.`, { errors })
}
