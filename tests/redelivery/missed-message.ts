import type { Message } from '@botpress/client'
import type { Installation } from '../../sandbox/cloud/installation'

export const MINUTE = 60_000
export const DAY = 24 * 60 * MINUTE

export const conversationIn = ({ chat }: Pick<Installation, 'chat'>, id = 'tea') =>
  chat.operations.getOrCreateConversation({ channel: 'channel', tags: { id } }).conversation

export type Missed = {
  delivery?: string
  conversation?: string
  /** How long ago the bot made it. */
  ageMs?: number
  /** The tag that counts failed redeliveries; 1.1 wrote none, and no 0. */
  failures?: string
}

/** What the bot wrote a minute ago, and an instance that is no longer there marked so. */
export const missedMessage = (
  from: Pick<Installation, 'chat'>,
  text: string,
  { delivery = 'failed', conversation, ageMs = MINUTE, failures = '0' }: Missed = {}
): Message => {
  const { chat } = from
  const conversationId = conversationIn(from, conversation).id
  const userId = chat.users.all()[0]!.id
  const message = chat.createBotMessage({ conversationId, userId, type: 'text', payload: { text } })
  chat.messages.put({ ...message, createdAt: new Date(Date.now() - ageMs).toISOString() })
  return chat.operations.updateMessage({ id: message.id, tags: { delivery, redeliveryFailures: failures } }).message
}
