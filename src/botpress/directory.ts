import type { Conversation, User } from '@botpress/client'
import { BotpressFailure, unlessMissing } from './botpress-failure'
import type { Caller, Installation } from './caller'
import { Remembered } from './remembered'

const users = new Remembered<User>({ maxSize: 5000 })
const conversations = new Remembered<Conversation>({ maxSize: 5000 })
const externalIds = new Remembered<string>({ maxSize: 5000 })

/** A field that is `undefined` stays as it is. */
export type Profile = { name?: string; pictureUrl?: string }

// All of these throw what the caller's client throws.

/**
 * The user with an external id, created if missing, with that profile. A remembered user costs a call only if its profile
 * differs.
 */
export const getOrCreateUser = async (
  { client, installation }: Caller,
  id: string,
  profile: Profile = {}
): Promise<User> => {
  const known = users.get(installation, id)
  const user = known ?? (await client.getOrCreateUser({ ...profile, tags: { id } })).user
  // Since API 1.80, get-or-create also updates an existing user. Before, it did not.
  const { name = user.name, pictureUrl = user.pictureUrl } = profile
  const differs = name !== user.name || pictureUrl !== user.pictureUrl
  if (!differs) return known ?? users.set(installation, id, user)
  return users.set(installation, id, (await client.updateUser({ id: user.id, ...profile })).user)
}

/** The conversation with an external id, created if missing. */
export const getOrCreateConversation = async ({ client, installation }: Caller, id: string): Promise<Conversation> => {
  const known = conversations.get(installation, id)
  if (known) return known
  const { conversation } = await client.getOrCreateConversation({ channel: 'channel', tags: { id } })
  return conversations.set(installation, id, conversation)
}

/** How often a user or a conversation may be deleted while something is made for it. */
const MAX_DELETIONS = 3

/** Runs `work` with a user and a conversation that may be remembered, and again if they have been deleted meanwhile. */
export const evenIfDeleted = async <T>(
  { installation }: Caller,
  ids: ExternalIds,
  work: () => Promise<T>
): Promise<T> => {
  for (let deletions = 0; ; deletions++) {
    try {
      return await work()
    } catch (thrown) {
      if (!BotpressFailure.in(thrown)?.isMissingResource || deletions === MAX_DELETIONS) throw thrown
      forget(installation, ids)
    }
  }
}

/** Deletes the conversation with an external id, with its messages, if there is one. */
export const deleteConversation = async ({ client, installation }: Caller, conversationId: string): Promise<void> => {
  const { conversations: listed } = await client.listConversations({ tags: { id: conversationId } })
  for (const { id } of withKnown(listed, conversationId, conversations.get(installation, conversationId))) {
    externalIds.forget(installation, id)
    await client.deleteConversation({ id }).catch(unlessMissing)
  }
  forget(installation, { conversationId })
}

/** Deletes the user with an external id, if there is one. */
export const deleteUser = async ({ client, installation }: Caller, userId: string): Promise<void> => {
  const { users: listed } = await client.listUsers({ tags: { id: userId } })
  for (const { id } of withKnown(listed, userId, users.get(installation, userId))) {
    await client.deleteUser({ id }).catch(unlessMissing)
  }
  forget(installation, { userId })
}

type Tagged = { id: string; tags: { [name: string]: string } }

/** Those of a list that have an external id, and the remembered one: the list may lag behind. */
const withKnown = (listed: Tagged[], externalId: string, known: Tagged | undefined): Tagged[] => [
  ...listed.filter(({ id, tags }) => tags['id'] === externalId && id !== known?.id),
  ...(known ? [known] : []),
]

type ExternalIds = { userId?: string; conversationId?: string }

/** Forgets a user and a conversation, by their external ids, so that they are looked up again. */
export const forget = (installation: Installation, { userId = '', conversationId = '' }: ExternalIds): void => {
  users.forget(installation, userId)
  conversations.forget(installation, conversationId)
}

/** Forgets which external id a conversation has, by Botpress's own. */
export const forgetExternalId = (installation: Installation, conversationId: string): void =>
  externalIds.forget(installation, conversationId)

/** The external id of a conversation, by Botpress's own; `undefined` if the conversation is gone, or has none. */
export const externalConversationId = async (
  { client, installation }: Caller,
  conversationId: string
): Promise<string | undefined> => {
  const known = externalIds.get(installation, conversationId)
  if (known) return known
  const found = await client.getConversation({ id: conversationId }).catch(unlessMissing)
  const id = found?.conversation.tags['id']
  return id && externalIds.set(installation, conversationId, id)
}
