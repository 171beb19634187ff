import type * as bp from '.botpress'

/** The Botpress conversation with an external id, created where missing. */
export const getOrCreateConversation: bp.IntegrationProps['actions']['getOrCreateConversation'] = async ({
  client,
  input,
}) => {
  const { conversation } = await client.getOrCreateConversation({
    channel: 'channel',
    tags: { id: input.conversation.id },
  })
  return { conversationId: conversation.id }
}
