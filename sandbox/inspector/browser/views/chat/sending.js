import { signal } from '@preact/signals'
import { address } from '../../model/address.js'
import { summaries } from '../../model/found.js'
import { sayAsBot, sendToBot } from '../../model/server.js'
import { announce } from '../announcer.js'

/**
 * What this page sends: a message or an event as a backend does, or a message of the bot.
 *
 * @typedef {'message' | 'event' | 'bot'} Kind
 * @typedef {{ userId?: string, conversationId: string, messageId?: string, eventId?: string, type: string, text?: string, payload?: object }} Sent
 * @typedef {{ body: Sent, kind: Kind, prefer: string, at: number, reason?: string }} Unsent
 */

/** Those that were not taken stay, with the reason. @type {import('@preact/signals').Signal<Unsent[]>} */
export const unsent = signal([])

/** What the form has. */
export const form = {
  kind: signal(/** @type {Kind} */ ('message')),
  /** Of an event: its type. */
  text: signal(''),
  userId: signal('ada'),
  /** Used where no conversation is chosen. */
  conversationId: signal('tea'),
  /** Of a message, or of an event. */
  id: signal(crypto.randomUUID()),
  type: signal('text'),
  payload: signal(''),
  prefer: signal(''),
  isRepeat: signal(false),
}

/** Where the form writes. */
export const conversationOfForm = () => address.conversation.value || form.conversationId.value

/** Who has written last into a conversation. @param {string} conversationId */
const userIn = (conversationId) =>
  summaries.value.find(({ conversationId: candidate, userId }) => candidate === conversationId && userId)?.userId ??
  form.userId.value

/** Sends a text, into a conversation or the one that is chosen. @param {string} text @param {string} [conversationId] */
export const say = (text, conversationId = conversationOfForm()) => {
  const ids = { userId: userIn(conversationId), conversationId, messageId: crypto.randomUUID() }
  return send({ ...ids, type: 'text', text })
}

/** Goes up whenever this page sends something. */
export const sentHere = signal(0)

/** @param {Sent} body @param {{ kind?: Kind, prefer?: string }} [how] */
export const send = (body, { kind = 'message', prefer = '' } = {}) => {
  sentHere.value++
  return sendAgain({ body, kind, prefer, at: Date.now() })
}

/** Sends what was refused once more, under the same ids. @param {Unsent} again */
export const sendAgain = async ({ body, kind, prefer, at }) => {
  drop(body)
  const reason = await (kind === 'bot' ? sayAsBot(body) : sendToBot(body, { isEvent: kind === 'event', prefer }))
  if (reason === undefined) return
  unsent.value = [...unsent.value, { body, kind, prefer, at, reason }]
  announce(`Not sent: ${reason}`)
}

/** @param {Sent} body */
export const drop = (body) => {
  unsent.value = unsent.value.filter((candidate) => candidate.body !== body)
}
