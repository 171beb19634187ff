import { RuntimeError } from '@botpress/sdk'
import type * as bp from '.botpress'
import { endpointOf } from '../configuration'
import { EndpointFailure } from '../endpoint/endpoint-failure'
import { DELIVERY, postMessage } from '../endpoint/post-message'

/**
 * Delivers a message of the bot, of any type, to the endpoint.
 *
 * @throws RuntimeError when the conversation was not made by this integration, the endpoint is not configured, or it
 * did not take the message
 */
export const deliver = async ({ ctx, conversation, user, message, type, payload, logger }: bp.AnyMessageProps) => {
  const conversationId = conversation.tags.id
  if (!conversationId) {
    throw new RuntimeError(
      `The conversation ${conversation.id} has no external id, so the endpoint could not tell where message ` +
        `${message.id} belongs. Create conversations with this integration's webhook or its action getOrCreateConversation.`
    )
  }
  const endpoint = endpointOf(ctx.configuration)
  const outgoing = {
    type,
    payload,
    conversationId,
    botpressUserId: user.id,
    botpressMessageId: message.id,
    botpressConversationId: conversation.id,
  }
  try {
    await postMessage(endpoint, outgoing, DELIVERY)
  } catch (thrown) {
    if (!(thrown instanceof EndpointFailure)) throw thrown
    const tries = thrown.tries === 1 ? '1 try' : `${thrown.tries} tries`
    const error = `The message ${message.id} was not delivered in ${tries}: ${thrown.message}. ${thrown.advice}`
    logger.forBot().error(error)
    throw new RuntimeError(error)
  }
}
