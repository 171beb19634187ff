import { isJsonObject, type JsonObject } from './json-object'
import { Problem } from '../problem'
import { whyNotJson } from './not-json'

type Body = { body?: string; headers: Record<string, string | undefined> }

/**
 * Reads a request's body, JSON in UTF-8 whatever its content type says. A byte order mark is passed over.
 *
 * @throws Problem 400 that says what is wrong: where the JSON ends being JSON, or what the body is instead
 */
export const parseJsonBody = ({ body, headers }: Body): JsonObject => {
  if (!body) {
    throw new Problem(400, 'The request has no body. Send a JSON object.')
  }
  const charset = /;\s*charset\s*=\s*"?([\w-]+)/i.exec(headers['content-type'] ?? '')?.[1]
  if (charset && !/^(utf-?8|us-ascii)$/i.test(charset) && body.includes('\ufffd')) {
    throw new Problem(400, `The body is in ${charset}, as its Content-Type says. Send it in UTF-8.`)
  }
  const text = body.replace(/^\ufeff/, '')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Problem(400, `The body is not JSON: ${whyNotJson(text, headers)}. Send a JSON object.`)
  }
  if (!isJsonObject(value)) {
    throw new Problem(400, 'The body is JSON, but not an object. Send a JSON object.')
  }
  return value
}
