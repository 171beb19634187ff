import type { Fields, Place } from './request-fields'

/**
 * Reads the parameters of a query or a form: `a=1&b=2`.
 *
 * @param names of those that may be given only once
 */
export const parseParameters = (text: string, names: string[], place: Place): Fields => {
  // Node mangles characters beyond ASCII in a value with a malformed %, unless they are encoded.
  const parameters = new URLSearchParams(text.replaceAll(/[^\0-\x7f]+/g, encoded))
  const repeated = names.filter((name) => parameters.getAll(name).length > 1)
  return { fields: Object.fromEntries(parameters), repeated, place }
}

const encoded = (run: string): string => Buffer.from(run).toString('hex').replaceAll(/../g, '%$&')
