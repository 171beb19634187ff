import { Problem } from '../problem'
import { isJsonObject, type JsonObject, usualMistake } from './json-object'
import { whyNotJson } from './not-json'

export type Body = { body?: string; headers: Record<string, string | undefined> }

/**
 * Reads a request's body as JSON in UTF-8, whatever its content type says.
 *
 * @throws Problem 400 that says what is wrong: where the JSON breaks off, or what the body is instead
 */
export const parseJsonBody = (req: Body): JsonObject => {
  const text = bodyText(req)
  checkCharset(text, req)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Problem(400, `The body is not JSON: ${whyNotJson(text, req.headers)}. Send a JSON object.`)
  }
  if (isJsonObject(value)) return value
  const mistake = usualMistake(value)
  throw new Problem(400, `The body is JSON, but not an object${mistake ? `: ${mistake}.` : '. Send a JSON object.'}`)
}

/** The body without a byte order mark. @throws Problem 400 if it is empty */
export const bodyText = ({ body }: Body): string => {
  if (!body?.trim()) throw new Problem(400, 'The request has no body. Send a JSON object.')
  return body.replace(/^\ufeff/, '')
}

/** @throws Problem 400 if the Content-Type names another charset than UTF-8, and the text that was read shows it */
export const checkCharset = (read: string, { headers }: Body): void => {
  const charset = /;\s*charset\s*=\s*"?([\w-]+)/i.exec(headers['content-type'] ?? '')?.[1]
  // Bytes that are not UTF-8 have become U+FFFD.
  if (charset && !/^(utf-?8|us-ascii)$/i.test(charset) && read.includes('\ufffd')) {
    throw new Problem(400, `The body is in ${charset}, as its Content-Type says. Send it in UTF-8.`)
  }
}
