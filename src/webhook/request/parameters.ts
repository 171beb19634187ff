import type { Fields, Place } from './request-fields'

/** Reads the parameters of a query or a form: `a=1&b=2`. */
export const parseParameters = (text: string, place: Place): Fields => {
  // Node mangles characters beyond ASCII in a value with a malformed %, unless they are encoded.
  const parameters = new URLSearchParams(text.replaceAll(/[^\0-\x7f]+/g, encoded))
  const fields = new Map<string, string>()
  const repeated = new Set<string>()
  for (const [name, value] of parameters) {
    if (fields.has(name)) repeated.add(name)
    fields.set(name, value)
  }
  const errors = [...repeated].map((path) => ({ path, message: 'must be given once' }))
  return { fields: Object.fromEntries(fields), place, errors }
}

const encoded = (run: string): string => Buffer.from(run).toString('hex').replaceAll(/../g, '%$&')
