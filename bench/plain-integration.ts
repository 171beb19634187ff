import { Client } from '@botpress/client'
import axios from 'axios'
import * as z from 'zod'
import * as bp from '.botpress'

// What an integration of this sort looks like today: a client a request, three calls in a row, and axios as it comes.

const bodySchema = z.object({
  userId: z.string(),
  messageId: z.string(),
  conversationId: z.string(),
  type: z.string(),
  text: z.string(),
})

const sendToEndpoint = async ({ ctx, conversation, user, message, type, payload }: bp.AnyMessageProps) => {
  await axios.post(ctx.configuration.responseEndpointURL!, {
    type,
    payload,
    conversationId: conversation.tags.id,
    botpressUserId: user.id,
    botpressMessageId: message.id,
    botpressConversationId: conversation.id,
  })
}

export default new bp.Integration({
  register: async () => {},
  unregister: async () => {},
  handler: async ({ req, ctx }) => {
    const { userId, conversationId, messageId, type, text } = bodySchema.parse(JSON.parse(req.body ?? ''))
    const token = req.headers['authorization']?.split(' ')[1] ?? 'none'
    const client = new Client({ token, botId: ctx.botId, integrationId: ctx.integrationId })
    const { conversation } = await client.getOrCreateConversation({ channel: 'channel', tags: { id: conversationId } })
    const { user } = await client.getOrCreateUser({ tags: { id: userId } })
    const { message } = await client.createMessage({
      conversationId: conversation.id,
      userId: user.id,
      type,
      payload: { text },
      tags: { id: messageId },
    })
    return { status: 200, body: JSON.stringify({ message, user, conversation }) }
  },
  actions: {
    getOrCreateUser: async () => ({ userId: '' }),
    getOrCreateConversation: async () => ({ conversationId: '' }),
  },
  channels: {
    channel: {
      messages: {
        text: sendToEndpoint,
        markdown: sendToEndpoint,
        image: sendToEndpoint,
        audio: sendToEndpoint,
        video: sendToEndpoint,
        file: sendToEndpoint,
        location: sendToEndpoint,
        card: sendToEndpoint,
        carousel: sendToEndpoint,
        choice: sendToEndpoint,
        dropdown: sendToEndpoint,
        bloc: sendToEndpoint,
        any: sendToEndpoint,
      },
    },
  },
})
