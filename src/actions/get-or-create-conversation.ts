import type * as bp from '.botpress'
import { forget, getOrCreateConversation as getOrCreate } from '../botpress/directory'
import { callBotpress } from './call-botpress'

/** The Botpress conversation with an external id, created if missing. */
export const getOrCreateConversation: bp.IntegrationProps['actions']['getOrCreateConversation'] = async ({
  ctx,
  input,
}) => {
  const conversationId = input.conversation.id
  const conversation = await callBotpress(ctx, (caller) => {
    // The remembered one may have been deleted.
    forget(caller.installation, { conversationId })
    return getOrCreate(caller, conversationId)
  })
  return { conversationId: conversation.id }
}
