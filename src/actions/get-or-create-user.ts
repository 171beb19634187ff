import type * as bp from '.botpress'
import { getOrCreateUser as getOrCreate } from '../botpress/get-or-create-user'
import { callBotpress } from './call-botpress'

/** The Botpress user with an external id, created where missing; its name and picture are kept up to date. */
export const getOrCreateUser: bp.IntegrationProps['actions']['getOrCreateUser'] = async ({ ctx, input }) => {
  const profile = { name: input.name || undefined, pictureUrl: input.pictureUrl || undefined }
  const user = await callBotpress(ctx, (caller) => getOrCreate(caller, input.user.id, { profile }))
  return { userId: user.id }
}
