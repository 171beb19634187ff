import { RuntimeError } from '@botpress/sdk'
import type * as bp from '.botpress'
import { BotpressFailure } from './botpress/botpress-failure'
import type { Caller } from './botpress/caller'
import { integrationAsCaller } from './botpress/client'
import { forget, getOrCreateConversation, getOrCreateUser } from './botpress/directory'
import { withRetries } from './botpress/with-retries'

/** What a bot needs to write first. The remembered user and conversation may have been deleted, so they are looked up. */
export const actions: bp.IntegrationProps['actions'] = {
  getOrCreateUser: async ({ ctx, input }) => {
    const userId = input.user.id
    const profile = { name: input.name || undefined, pictureUrl: input.pictureUrl || undefined }
    const user = await callBotpress(ctx, (caller) => {
      forget(caller.installation, { userId })
      return getOrCreateUser(caller, userId, profile)
    })
    return { userId: user.id }
  },

  getOrCreateConversation: async ({ ctx, input }) => {
    const conversationId = input.conversation.id
    const conversation = await callBotpress(ctx, (caller) => {
      forget(caller.installation, { conversationId })
      return getOrCreateConversation(caller, conversationId)
    })
    return { conversationId: conversation.id }
  },
}

/** @throws RuntimeError with Botpress's own reason, for the bot's builder */
const callBotpress = async <T>(ctx: bp.Context, work: (caller: Caller) => Promise<T>): Promise<T> => {
  const integration = integrationAsCaller(ctx)
  try {
    return await withRetries(() => work(integration))
  } catch (thrown) {
    const failure = BotpressFailure.in(thrown)
    throw failure ? new RuntimeError(`Botpress did not carry out the action: ${failure.reason}.`) : thrown
  }
}
