import type { Conversation, User } from '@botpress/client'
import { BotpressFailure } from '../botpress/botpress-failure'
import type { Caller } from '../botpress/client'
import { Remembered } from '../botpress/remembered'
import type { IncomingMessage } from './message-request'

const conversations = new Remembered<Conversation>({ maxSize: 5000 })
const users = new Remembered<User>({ maxSize: 5000 })

/**
 * Gives a message to the bot, at most once: a repeat gets what the first one made. The message's own call goes to
 * Botpress always; the conversation and the user are looked up, side by side, where they are not remembered.
 *
 * @returns the Botpress message, user and conversation, created where missing
 * @throws what the caller's client throws
 */
export const receiveMessage = async (caller: Caller, incoming: IncomingMessage) => {
  const conversationKey = [caller.botId, caller.integrationId, incoming.conversationId]
  const userKey = [caller.botId, caller.integrationId, incoming.userId]
  const fromMemory = [conversations.get(conversationKey), users.get(userKey)].some((entry) => entry !== undefined)

  const create = async () => {
    const [conversation, user] = await Promise.all([
      conversations.get(conversationKey) ??
        caller.client
          .getOrCreateConversation({ channel: 'channel', tags: { id: incoming.conversationId } })
          .then((found) => conversations.set(conversationKey, found.conversation)),
      users.get(userKey) ??
        caller.client
          .getOrCreateUser({ ...incoming.user, tags: { id: incoming.userId } })
          .then((found) => users.set(userKey, found.user)),
    ])
    const { message } = await caller.client.getOrCreateMessage({
      conversationId: conversation.id,
      userId: user.id,
      type: incoming.type,
      payload: new Verbatim(incoming.payload),
      // Found by tags alone, which therefore name the conversation too.
      tags: { id: incoming.messageId, conversationId: conversation.id },
    })
    return { message, user, conversation }
  }

  try {
    return await create()
  } catch (thrown) {
    if (!fromMemory || !BotpressFailure.in(thrown)?.isMissingResource) throw thrown
    // What was remembered has been deleted since.
    conversations.forget(conversationKey)
    users.forget(userKey)
    return await create()
  }
}

/**
 * axios rebuilds plain objects on their way and loses the keys `constructor`, `prototype` and `__proto__` in it; it leaves
 * instances of classes alone.
 */
class Verbatim {
  constructor(private readonly value: object) {}

  toJSON() {
    return this.value
  }
}
