import type { Client } from '@botpress/client'
import { plainTextOf } from '../messages/plain-text'
import type { IncomingMessage } from './request/message-request'

/**
 * What the bot gets of a message: where it is a number, and the bot's newest message has an option of that number in its
 * plain text, the option. A repeat gets what the first one got, whatever the bot has written since.
 *
 * @param conversationId Botpress's id
 */
export const withChosenOption = async (
  client: Client,
  conversationId: string,
  { messageId, type, payload }: IncomingMessage
): Promise<object> => {
  const number = type === 'text' ? wholeNumberIn(String(payload['text'])) : undefined
  if (number === undefined) return payload
  const { messages } = await client.listMessages({ conversationId })
  const first = messages.find(({ direction, tags }) => direction === 'incoming' && tags['id'] === messageId)
  if (first) return first.payload
  const asked = messages.find(({ direction }) => direction === 'outgoing')
  const option = asked && plainTextOf(asked.type, asked.payload)?.options[number - 1]
  return { ...payload, ...option?.answer }
}

/** In decimal digits of any script, each perhaps a keycap, with a dot or a parenthesis after them or not. */
const wholeNumberIn = (text: string): number | undefined => {
  // Where text runs from right to left, marks that nobody sees may stand around it.
  const [, digits] = text.match(/^[\s\p{Cf}]*((?:\p{Nd}\ufe0f?\u20e3?)+)[.)．）。]?[\s\p{Cf}]*$/u) ?? []
  return digits ? Number(Array.from(digits.match(/\p{Nd}/gu)!, valueOf).join('')) : undefined
}

/** Unicode keeps the ten digits of a script side by side, from 0 to 9. */
const valueOf = (digit: string): number => {
  let before = digit.codePointAt(0)!
  while (/\p{Nd}/u.test(String.fromCodePoint(before - 1))) before--
  return (digit.codePointAt(0)! - before) % 10
}
