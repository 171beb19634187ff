import type { Client, User } from '@botpress/client'
import type { Caller, Installation } from './client'
import { Remembered } from './remembered'

/** What a Botpress user is given beside its id. What is `undefined` stays as it is. */
export type Profile = { name?: string; pictureUrl?: string }

const users = new Remembered<User>({ maxSize: 5000 })

export const rememberedUser = (installation: Installation, id: string): User | undefined => users.get(installation, id)

export const forgetUser = (installation: Installation, id: string): void => users.forget(installation, id)

/**
 * The user with an external id, created where missing, with that profile.
 *
 * @param known the user as it is remembered, which is not looked up
 */
export const getOrCreateUser = async (
  { client, installation }: Caller,
  id: string,
  { profile = {}, known }: { profile?: Profile; known?: User } = {}
): Promise<User> => {
  const found = known ?? (await client.getOrCreateUser({ ...profile, tags: { id } })).user
  // Since API 1.80 a user that is looked up is updated too; before, it came back as it was.
  const user = await withProfile(client, found, profile)
  return user === known ? known : users.set(installation, id, user)
}

/** The user with that profile: it costs a call only where something differs. */
const withProfile = async (client: Client, user: User, { name, pictureUrl }: Profile): Promise<User> => {
  const differs = [
    [name, user.name],
    [pictureUrl, user.pictureUrl],
  ].some(([wanted, current]) => wanted !== undefined && wanted !== current)
  return differs ? (await client.updateUser({ id: user.id, name, pictureUrl })).user : user
}
