import type { Installation } from '../../sandbox/cloud/installation'
import { mustBeDocumented } from './documented'

let count = 0

/** A complete request body with ids that no other test uses; `fields` go over it. */
export const messageBody = (fields: Record<string, unknown> = {}): Record<string, unknown> => {
  const number = ++count
  return {
    userId: `user ${number}`,
    messageId: `message ${number}`,
    conversationId: `conversation ${number}`,
    type: 'text',
    text: 'Hello',
    ...fields,
  }
}

export type Answer = {
  status: number
  headers: Headers
  /** Parsed. */
  // What it holds is what the tests look at.
  // oxlint-disable-next-line typescript/no-explicit-any
  body: any
  text: string
}

type Sending = {
  authorization?: string | null
  method?: string
  path?: string
  headers?: Record<string, string>
  /** Taken though openapi.json does not describe it. */
  unchecked?: boolean
  /** Its instance may be ended: then the cloud itself answers 500. */
  mayBreakOff?: boolean
}

const isBytes = (body: unknown): body is string | Uint8Array<ArrayBuffer> =>
  typeof body === 'string' || body instanceof Uint8Array

/**
 * Sends a request to the webhook as a backend does, with the sandbox's token unless told otherwise.
 *
 * @throws Error where the answer is not as openapi.json says
 */
export const send = async (
  { webhookUrl, token }: Pick<Installation, 'webhookUrl' | 'token'>,
  body: unknown,
  { authorization = `Bearer ${token}`, method = 'POST', path = '', headers = {}, unchecked, mayBreakOff }: Sending = {}
): Promise<Answer> => {
  const response = await fetch(webhookUrl + path, {
    method,
    headers: { ...headers, ...(authorization !== null && { authorization }) },
    body: isBytes(body) || body === undefined ? body : JSON.stringify(body),
  })
  const text = await response.text()
  const answer = {
    status: response.status,
    headers: response.headers,
    text,
    body: text === '' ? undefined : JSON.parse(text),
  }
  if (mayBreakOff && answer.status === 500) return answer
  mustBeDocumented({
    method,
    path,
    body: unchecked ? undefined : typeof body === 'string' && answer.status === 200 ? JSON.parse(body) : body,
    status: answer.status,
    contentType: answer.headers.get('content-type') ?? '',
    answer: answer.body,
  })
  return answer
}
