import { Problem } from '../problem'
import { PLACES, type Place } from './request-fields'

/**
 * Reads the parameters of a query or a form: `a=1&b=2`.
 *
 * @param names of those that may be given once only
 * @throws Problem 400 that lists those given more than once
 */
export const parseParameters = (text: string, names: string[], place: Place): Record<string, string> => {
  const parameters = new URLSearchParams(text)
  const repeated = names.filter((name) => parameters.getAll(name).length > 1)
  if (repeated.length > 0) {
    const errors = repeated.map((path) => ({ path, message: 'must be given once' }))
    throw new Problem(400, `${PLACES[place]}: ${repeated.join(', ')}.`, { errors })
  }
  return Object.fromEntries(parameters)
}
