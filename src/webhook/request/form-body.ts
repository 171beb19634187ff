import { type Body, bodyText, parseJsonBody } from './json-body'
import type { JsonObject } from './json-object'
import { parseParameters } from './parameters'
import type { Place } from './request-fields'

/**
 * Reads a request's body as a form, if it says that it is one, and else as JSON. No-code tools fill templates: a line break
 * in a text makes their JSON invalid, but never a form.
 *
 * @param names of the fields that may be given once; those in `jsonNames` are JSON in a form, and stay texts if they are not
 * @throws Problem 400 if it is neither
 */
export const parseFormOrJson = (
  req: Body,
  names: string[],
  jsonNames: string[]
): { fields: JsonObject; place: Place } => {
  if (!isForm(req)) return { fields: parseJsonBody(req), place: 'body' }
  const fields = parseParameters(bodyText(req), names, 'form')
  const parsed = jsonNames.filter((name) => name in fields).map((name) => [name, jsonOrText(fields[name]!)])
  return { fields: { ...fields, ...Object.fromEntries(parsed) }, place: 'form' }
}

/** `curl -d` calls everything a form. What begins like JSON is JSON: in a form these characters are encoded. */
const isForm = ({ body = '', headers }: Body): boolean =>
  /^application\/x-www-form-urlencoded\b/i.test(headers['content-type']?.trim() ?? '') && !/^\s*[{["]/.test(body)

const jsonOrText = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
