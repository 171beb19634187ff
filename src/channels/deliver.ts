import { RuntimeError } from '@botpress/sdk'
import type * as bp from '.botpress'
import { endpointOf } from '../configuration'
import { EndpointFailure } from '../endpoint/endpoint-failure'
import { DELIVERY, postMessage } from '../endpoint/post-message'

/**
 * Delivers a message of the bot, of any type, to the endpoint. Each failure is logged for the bot's owner.
 *
 * @throws RuntimeError when the conversation was not made by this integration, the endpoint is not configured, or it
 * did not take the message
 */
export const deliver = async (props: bp.AnyMessageProps): Promise<void> => {
  try {
    await post(props)
  } catch (thrown) {
    const error = thrown instanceof EndpointFailure ? runtimeErrorOf(thrown, props.message.id) : thrown
    if (error instanceof RuntimeError) props.logger.forBot().error(error.message)
    throw error
  }
}

const post = async ({ ctx, conversation, user, message, type, payload }: bp.AnyMessageProps): Promise<void> => {
  const conversationId = conversation.tags.id
  if (!conversationId) {
    throw new RuntimeError(
      `The conversation ${conversation.id} has no external id, so the endpoint could not tell where message ` +
        `${message.id} belongs. Create conversations with this integration's webhook or its action getOrCreateConversation.`
    )
  }
  const body = {
    type,
    payload,
    conversationId,
    botpressUserId: user.id,
    botpressMessageId: message.id,
    botpressConversationId: conversation.id,
  }
  await postMessage(endpointOf(ctx.configuration), { id: message.id, body }, DELIVERY)
}

const runtimeErrorOf = ({ message, advice, tries, details }: EndpointFailure, id: string): RuntimeError => {
  const fate = details.mayHaveArrived ? 'may have arrived,' : 'was not delivered'
  return new RuntimeError(
    `The message ${id} ${fate} in ${tries === 1 ? '1 try' : `${tries} tries`}: ${message}. ${advice}`
  )
}
