import { type Body, bodyText, checkCharset, parseJsonBody } from './json-body'
import { parseParameters } from './parameters'
import type { Fields } from './request-fields'

/**
 * Reads a request's body as a form, if its Content-Type says so, and otherwise as JSON. No-code tools fill templates: a line
 * break in a text breaks their JSON, but never a form.
 *
 * @param jsonNames of those that are JSON in a form; a text that is not JSON stays a text
 * @throws Problem 400 if the body is neither
 */
export const parseFormOrJson = (req: Body, jsonNames: string[]): Fields => {
  if (!isForm(req)) return { fields: parseJsonBody(req), place: 'body' }
  const form = parseParameters(bodyText(req), 'form')
  checkCharset(Object.values(form.fields).join(' '), req)
  const parsed = jsonNames.filter((name) => name in form.fields).map((name) => [name, jsonOrText(form.fields[name])])
  return { ...form, fields: { ...form.fields, ...Object.fromEntries(parsed) } }
}

/** `curl -d` calls JSON a form too. */
const isForm = ({ body = '', headers }: Body): boolean =>
  /^application\/x-www-form-urlencoded *(;|$)/i.test(headers['content-type']?.trim() ?? '') && !/^\s*\{/.test(body)

const jsonOrText = (text: unknown): unknown => {
  try {
    return JSON.parse(String(text))
  } catch {
    return text
  }
}
