import type { z } from 'zod'

/** What a program wants of the sandbox is malformed. */
class Refusal extends Error {
  readonly statusCode = 400
}

/** @throws Error that says what is wrong with each field */
export const parse = <T extends z.ZodType>(schema: T, value: unknown): z.output<T> => {
  const { success, data, error } = schema.safeParse(value ?? {})
  if (success) return data
  const faults = error.issues.map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message))
  throw new Refusal(faults.join('. '))
}
