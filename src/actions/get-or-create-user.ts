import type * as bp from '.botpress'

/** The Botpress user with an external id, created where missing; `name` and `pictureUrl` are for a new one. */
export const getOrCreateUser: bp.IntegrationProps['actions']['getOrCreateUser'] = async ({ client, input }) => {
  const { user } = await client.getOrCreateUser({
    tags: { id: input.user.id },
    name: input.name,
    pictureUrl: input.pictureUrl,
  })
  return { userId: user.id }
}
