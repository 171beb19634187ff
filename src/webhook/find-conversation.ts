import type { Client, Conversation } from '@botpress/client'
import { Problem } from './problem'

/**
 * The conversation with an external id. Creates nothing.
 *
 * @param client acts as the caller
 * @throws Problem 404 where there is none; what `client` throws
 */
export const findConversation = async (client: Client, externalId: string): Promise<Conversation> => {
  const { conversations } = await client.listConversations({ tags: { id: externalId } })
  const conversation = conversations.find(({ tags }) => tags['id'] === externalId)
  if (conversation) return conversation
  const advice = externalId.startsWith(' ') ? ' In a query, + is a space: write %2B for a plus.' : ''
  throw new Problem(404, `There is no conversation with the conversationId ${JSON.stringify(externalId)}.${advice}`)
}
