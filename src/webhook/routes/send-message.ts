import type { Conversation, User } from '@botpress/client'
import { BotpressFailure } from '../../botpress/botpress-failure'
import type { Caller } from '../../botpress/client'
import { forgetUser, getOrCreateUser, rememberedUser } from '../../botpress/get-or-create-user'
import { Remembered } from '../../botpress/remembered'
import type { IncomingMessage } from '../request/message-request'

const conversations = new Remembered<Conversation>({ maxSize: 5000 })

/**
 * Gives a message to the bot, at most once: a repeat gets what the first one made. The message's own call goes to
 * Botpress always; the conversation and the user are looked up, side by side, where they are not remembered.
 *
 * @returns the Botpress message, user and conversation, created where missing
 * @throws what the caller's client throws
 */
export const receiveMessage = async (caller: Caller, incoming: IncomingMessage) => {
  const { client, installation } = caller
  const knownConversation = conversations.get(installation, incoming.conversationId)
  const knownUser = rememberedUser(installation, incoming.userId)

  const create = async (known: { conversation?: Conversation; user?: User }) => {
    const [conversation, user] = await Promise.all([
      known.conversation ??
        client
          .getOrCreateConversation({ channel: 'channel', tags: { id: incoming.conversationId } })
          .then((found) => conversations.set(installation, incoming.conversationId, found.conversation)),
      getOrCreateUser(caller, incoming.userId, { profile: incoming.user, known: known.user }),
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

  try {
    return await create({ conversation: knownConversation, user: knownUser })
  } catch (thrown) {
    const isRemembered = knownConversation !== undefined || knownUser !== undefined
    if (!isRemembered || !BotpressFailure.in(thrown)?.isMissingResource) throw thrown
    // What was remembered has been deleted since.
    conversations.forget(installation, incoming.conversationId)
    forgetUser(installation, incoming.userId)
    return await create({})
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
