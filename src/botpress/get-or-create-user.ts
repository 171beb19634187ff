import type { Client, User } from '@botpress/client'

/** What a Botpress user is given beside its id. What is `undefined` stays as it is. */
export type Profile = { name?: string; pictureUrl?: string }

/** The user with an external id, created where missing, with that profile. */
export const getOrCreateUser = async (client: Client, id: string, profile: Profile = {}): Promise<User> => {
  const { user } = await client.getOrCreateUser({ ...profile, tags: { id } })
  // Since API 1.80 a user that is found is updated too; before, it came back as it was.
  return withProfile(client, user, profile)
}

/** The user with that profile: it costs a call only where something differs. */
export const withProfile = async (client: Client, user: User, { name, pictureUrl }: Profile = {}): Promise<User> => {
  const differs = [
    [name, user.name],
    [pictureUrl, user.pictureUrl],
  ].some(([wanted, current]) => wanted !== undefined && wanted !== current)
  return differs ? (await client.updateUser({ id: user.id, name, pictureUrl })).user : user
}
