import http from 'node:http'

// The least that a message takes: no SDK, no checks, one request over a kept connection.

const agent = new http.Agent({ keepAlive: true })

const post = (url: string, body: object): Promise<string> =>
  new Promise((resolve, reject) => {
    const text = JSON.stringify(body)
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
    http
      .request(url, { agent, method: 'POST', headers })
      .on('response', (response) => {
        let answer = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk))
        response.on('end', () => resolve(answer))
      })
      .on('error', reject)
      .end(text)
  })

/** A message of a backend that the bot gets. Its user and conversation are known. */
const receive = async ({ req }: { req: { body: string } }) => {
  const { messageId, type, text } = JSON.parse(req.body)
  const message = { conversationId: 'conv_1', userId: 'user_1', type, payload: { text }, tags: { id: messageId } }
  const answer = await post(`${process.env['BP_API_URL']}/v1/chat/messages/get-or-create`, message)
  return { status: 200, body: JSON.stringify(JSON.parse(answer)) }
}

type Outgoing = {
  type: string
  payload: object
  user: { id: string }
  message: { id: string }
  conversation: { id: string; tags: { id: string } }
}

/** A message of the bot that the endpoint gets. */
const deliver = async (url: string, { type, payload, user, message, conversation }: Outgoing) => {
  await post(url, {
    type,
    payload,
    conversationId: conversation.tags.id,
    botpressUserId: user.id,
    botpressMessageId: message.id,
    botpressConversationId: conversation.id,
  })
  return { status: 200, body: '{}' }
}

export const handler = ({ headers, body }: { headers: Record<string, string>; body: string }) => {
  if (headers['x-bp-operation'] === 'webhook_received') return receive(JSON.parse(body))
  const configuration = JSON.parse(Buffer.from(headers['x-bp-configuration']!, 'base64').toString())
  return deliver(configuration.responseEndpointURL, JSON.parse(body))
}
