import { RuntimeError } from '@botpress/sdk'
import type * as bp from '.botpress'
import { deliverOrMark } from '../outbox/deliver-or-mark'
import { type Mark, markAfter } from '../outbox/mark'
import { redeliverIfDue } from '../redelivery/redeliver-if-due'
import { EndpointFailure } from '../endpoint/endpoint-failure'
import { CALL_MS } from '../time-limits'

/**
 * Delivers a message of the bot, of any type, to the endpoint, and then those that it has missed. Each failure is logged for
 * the bot's owner.
 *
 * @throws RuntimeError when the conversation was not made by this integration, the endpoint is not configured, or it
 * did not take the message
 */
export const handleBotMessage = async (props: bp.AnyMessageProps): Promise<void> => {
  const deadline = Date.now() + CALL_MS
  try {
    await deliverOrMark(props, outgoingOf(props), deadline)
  } catch (thrown) {
    const error =
      thrown instanceof EndpointFailure
        ? new RuntimeError(`${thrown.reportOn(props.message.id)} ${PROSPECTS[markAfter(thrown)]}`)
        : thrown
    if (error instanceof RuntimeError) props.logger.forBot().error(error.message)
    throw error
  }
  await redeliverIfDue(props, deadline)
}

/** What becomes of a message that is marked. */
const PROSPECTS: Record<Mark, string> = {
  failed: 'It is delivered later, when the endpoint takes messages.',
  unknown:
    'It is sent again only where that is asked for: POST {webhook URL}/redeliveries, with {"delivery":"unknown"}.',
}

const outgoingOf = ({ conversation, user, message, type, payload }: bp.AnyMessageProps) => {
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
  return { id: message.id, createdAt: message.createdAt, body }
}
