import type * as bp from '.botpress'
import { callBotpress } from './call-botpress'

/** The Botpress conversation with an external id, created where missing. */
export const getOrCreateConversation: bp.IntegrationProps['actions']['getOrCreateConversation'] = async ({
  ctx,
  input,
}) => {
  const { conversation } = await callBotpress(ctx, ({ client }) =>
    client.getOrCreateConversation({ channel: 'channel', tags: { id: input.conversation.id } })
  )
  return { conversationId: conversation.id }
}
