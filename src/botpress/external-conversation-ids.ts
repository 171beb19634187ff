import type { Message } from '@botpress/client'
import { BotpressFailure } from './botpress-failure'
import type { Caller } from './client'
import { Remembered } from './remembered'

const externalIds = new Remembered<{ id: string }>({ maxSize: 5000 })

/**
 * The external ids of the messages' conversations, by Botpress's own ids. Those of conversations that are gone, or have none,
 * are left out.
 *
 * @param messages a page of them: all conversations that are not remembered are looked up at the same time
 * @throws what the caller's client throws
 */
export const externalConversationIds = async (
  { client, installation }: Pick<Caller, 'client' | 'installation'>,
  messages: Message[]
): Promise<Map<string, string>> => {
  const externalIdOf = async (conversationId: string): Promise<string | undefined> => {
    const known = externalIds.get(installation, conversationId)
    if (known) return known.id
    try {
      const { conversation } = await client.getConversation({ id: conversationId })
      const id = conversation.tags['id']
      return id && externalIds.set(installation, conversationId, { id }).id
    } catch (thrown) {
      if (BotpressFailure.in(thrown)?.isMissingResource) return undefined
      throw thrown
    }
  }
  const ids = [...new Set(messages.map(({ conversationId }) => conversationId))]
  const pairs = await Promise.all(ids.map(async (id) => [id, await externalIdOf(id)] as const))
  return new Map(pairs.filter((pair): pair is [string, string] => Boolean(pair[1])))
}
