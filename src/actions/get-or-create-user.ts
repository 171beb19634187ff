import type * as bp from '.botpress'
import { forget, getOrCreateUser as getOrCreate } from '../botpress/directory'
import { callBotpress } from './call-botpress'

/** The Botpress user with an external id, created if missing; its name and picture are kept up to date. */
export const getOrCreateUser: bp.IntegrationProps['actions']['getOrCreateUser'] = async ({ ctx, input }) => {
  const userId = input.user.id
  const profile = { name: input.name || undefined, pictureUrl: input.pictureUrl || undefined }
  const user = await callBotpress(ctx, (caller) => {
    // The remembered one may have been deleted.
    forget(caller.installation, { userId })
    return getOrCreate(caller, userId, profile)
  })
  return { userId: user.id }
}
