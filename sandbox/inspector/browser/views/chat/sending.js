import { signal } from '@preact/signals'
import { address } from '../../model/address.js'
import { summaries } from '../../model/found.js'
import { sendMessage } from '../../model/server.js'
import { announce } from '../announcer.js'

/**
 * A message on its way from this page, or one that was refused.
 *
 * @typedef {{ userId: string, conversationId: string, messageId: string, type: string, text?: string, payload?: object }} Sent
 * @typedef {{ message: Sent, prefer: string, at: number, reason?: string }} Unsent
 */

/** Those that were not taken stay, with the reason. @type {import('@preact/signals').Signal<Unsent[]>} */
export const unsent = signal([])

/** What the form has. */
export const form = {
  text: signal(''),
  userId: signal('ada'),
  /** Used where no conversation is chosen. */
  conversationId: signal('tea'),
  messageId: signal(crypto.randomUUID()),
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

/**
 * Sends a message, under fresh ids where none are given.
 *
 * @param {Partial<Sent>} message
 * @param {string} [prefer]
 */
export const send = async (message, prefer = '') => {
  const conversationId = message.conversationId ?? conversationOfForm()
  const whole = {
    userId: userIn(conversationId),
    messageId: crypto.randomUUID(),
    type: 'text',
    ...message,
    conversationId,
  }
  await sendAgain({ message: whole, prefer, at: Date.now() })
}

/** Sends what was refused once more, under the same ids. @param {Unsent} again */
export const sendAgain = async ({ message, prefer, at }) => {
  drop(message)
  const reason = await sendMessage(message, prefer)
  if (reason === undefined) return
  unsent.value = [...unsent.value, { message, prefer, at, reason }]
  announce(`Not sent: ${reason}`)
}

/** @param {Sent} message */
export const drop = (message) => {
  unsent.value = unsent.value.filter((candidate) => candidate.message !== message)
}
