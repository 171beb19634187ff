import { RuntimeError } from '@botpress/sdk'
import type * as bp from '.botpress'
import { integrationAsCaller } from '../botpress/client'
import { outgoingMessageOf } from '../messages/outgoing-message'
import { deliverOrMark } from '../outbox/deliver-or-mark'
import { FRESH, markOf, tagMessage } from '../outbox/mark'
import { redeliverIfDue } from '../redelivery/redeliver-if-due'
import { CALL_MS } from '../time-limits'

/**
 * Delivers a message of the bot, of any type, to the endpoint, and then those that it missed; or marks it as waiting. Failures
 * are logged for the bot's owner. `Mark` says when a message is tried again. `props.client` is never used, because it has
 * retries and connections of its own.
 *
 * @throws RuntimeError if this integration did not make the conversation, the endpoint is not configured, or it did not take
 * the message
 */
export const handleBotMessage = async (props: bp.AnyMessageProps): Promise<void> => {
  const { message, conversation, ctx, logger } = props
  const { id, createdAt } = message
  const deadline = Date.now() + CALL_MS
  try {
    const conversationId = externalIdOf(conversation, id)
    if (ctx.configuration.pull) return await letWait(props, deadline)
    const body = outgoingMessageOf(message, conversationId, ctx.configuration)
    await deliverOrMark(props, { id, createdAt, body }, markOf(message), deadline)
  } catch (thrown) {
    if (thrown instanceof RuntimeError) logger.forBot().error(thrown.message)
    throw thrown
  }
  await redeliverIfDue(props, deadline)
}

/** Until the backend fetches it. */
const letWait = async ({ message: { id }, ctx, logger }: bp.AnyMessageProps, deadline: number): Promise<void> => {
  const { client } = integrationAsCaller(ctx)
  const outcome = await tagMessage(client, id, { ...FRESH, delivery: 'waiting' }, { logger, deadline })
  if (outcome !== 'failed') return
  // No RuntimeError, so that Botpress may hand the message over again.
  throw new Error(`The message ${id} could not be marked as waiting, so the backend cannot fetch it.`)
}

const externalIdOf = (conversation: bp.AnyMessageProps['conversation'], messageId: string): string => {
  const { id } = conversation.tags
  if (id) return id
  throw new RuntimeError(
    `The conversation ${conversation.id} has no external id, so the endpoint could not tell where message ${messageId} ` +
      "belongs. Create conversations with this integration's webhook or its action getOrCreateConversation."
  )
}
