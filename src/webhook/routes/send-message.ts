import type { Caller } from '../../botpress/caller'
import { evenIfDeleted, getOrCreateConversation, getOrCreateUser } from '../../botpress/directory'
import { Verbatim } from '../../botpress/verbatim'
import { withRetries } from '../../botpress/with-retries'
import type { Configuration } from '../../configuration'
import { outgoingMessageOf } from '../../messages/outgoing-message'
import { type IncomingMessage, parseMessageRequest } from '../request/message-request'
import { appliedPreference, waitPreference } from '../request/preferences'
import { waitForReplies } from '../wait-for-replies'
import { withChosenOption } from '../with-chosen-option'
import type { Route } from './route'

/** `POST /`: gives a message to the bot, and waits for its replies if the backend prefers that. */
export const sendMessage: Route = async (caller, { req, ctx }) => {
  const incoming = parseMessageRequest(req)
  const wait = waitPreference(req.headers['prefer'])
  const created = await withRetries(() => createMessage(caller, incoming, ctx.configuration))
  if (!wait) return { body: created }
  const replies = await waitForReplies(caller.client, {
    sent: created.message,
    waitMs: wait.waitSeconds * 1000,
    enough: wait.replies,
  })
  return {
    body: {
      ...created,
      replies: replies.map((reply) => outgoingMessageOf(reply, incoming.conversationId, ctx.configuration)),
    },
    headers: { 'preference-applied': appliedPreference(wait) },
  }
}

/** Creates the message, with its user and conversation. If it is sent again, it gets what the first one made. */
const createMessage = (caller: Caller, incoming: IncomingMessage, { plainText }: Configuration) =>
  evenIfDeleted(caller, incoming, async () => {
    const { userId, conversationId, messageId, type } = incoming
    const [conversation, user] = await Promise.all([
      getOrCreateConversation(caller, conversationId),
      getOrCreateUser(caller, userId, incoming.user),
    ])
    const payload = plainText ? await withChosenOption(caller.client, conversation.id, incoming) : incoming.payload
    const { message } = await caller.client.getOrCreateMessage({
      conversationId: conversation.id,
      userId: user.id,
      type,
      payload: new Verbatim(payload),
      // Botpress looks it up by nothing but its tags, so they name the conversation too.
      tags: { id: messageId, conversationId: conversation.id },
    })
    return { message, user, conversation }
  })
