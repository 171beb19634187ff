import type { Conversation } from '@botpress/client'
import type { Caller } from '../botpress/caller'
import { Problem } from './problem'

/**
 * The conversation with an external id, if one is given. Creates nothing.
 *
 * @throws Problem 404 if there is none; what the caller's client throws
 */
export const findConversation = async (
  { client }: Caller,
  externalId: string | undefined
): Promise<Conversation | undefined> => {
  if (externalId === undefined) return undefined
  const { conversations } = await client.listConversations({ tags: { id: externalId } })
  const conversation = conversations.find(({ tags }) => tags['id'] === externalId)
  if (conversation) return conversation
  const advice = externalId.startsWith(' ') ? ' In a query, + is a space: write %2B for a plus.' : ''
  throw new Problem(404, `There is no conversation with the conversationId ${JSON.stringify(externalId)}.${advice}`)
}
