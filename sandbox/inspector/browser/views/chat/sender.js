import { html } from 'htm/preact'
import { address } from '../../model/address.js'
import { createdAt, summaryOf } from '../../model/trace.js'
import { clockTime, cutInTheMiddle } from '../in-words.js'

/** @import { Said } from '../../model/talk' */

/** Who wrote a message: the user, by the backend's id, or the bot. @param {Said} said */
const senderOf = ({ message, trace }) =>
  message.direction === 'incoming' ? (summaryOf(trace).userId ?? 'user') : 'bot'

/** @param {Said} said */
const minuteOf = ({ message }) => clockTime(createdAt(message)).slice(0, 5)

/** Messages that have the same stand under one heading. @param {Said} said */
export const groupOf = (said) =>
  JSON.stringify([said.message.direction, senderOf(said), said.message.conversationId, minuteOf(said)])

/** The heading of a group. @param {{ said: Said }} props */
export const Sender = ({ said }) => {
  const { direction, conversationId } = said.message
  const place = address.conversation.value === '' ? ` in ${cutInTheMiddle(conversationId)}` : ''
  return html`<li class=${`sender ${direction}`} title=${conversationId}>
    <b dir="auto">${senderOf(said)}</b>${`${place} · ${minuteOf(said)}`}
  </li>`
}
