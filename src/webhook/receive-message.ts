import type { Client } from '@botpress/client'
import type { IncomingMessage } from './message-request'

/**
 * Gives a message to the bot, at most once: a repeat gets what the first one made.
 *
 * @param client acts as the caller
 * @returns the Botpress message, user and conversation, created where missing
 * @throws what `client` throws
 */
export const receiveMessage = async (client: Client, incoming: IncomingMessage) => {
  const [{ conversation }, { user }] = await Promise.all([
    client.getOrCreateConversation({ channel: 'channel', tags: { id: incoming.conversationId } }),
    client.getOrCreateUser({ tags: { id: incoming.userId } }),
  ])
  const { message } = await client.getOrCreateMessage({
    conversationId: conversation.id,
    userId: user.id,
    type: incoming.type,
    payload: new Verbatim(incoming.payload),
    // Found by tags alone, which therefore name the conversation too.
    tags: { id: incoming.messageId, conversationId: conversation.id },
  })
  return { message, user, conversation }
}

/** axios rebuilds plain objects on their way and loses the keys `constructor`, `prototype` and `__proto__` in it; it leaves instances of classes alone. */
class Verbatim {
  constructor(private readonly value: object) {}

  toJSON() {
    return this.value
  }
}
