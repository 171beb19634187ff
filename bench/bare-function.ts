import http from 'node:http'

// The least that a delivery takes: no SDK, no checks, one request over a kept connection.

const agent = new http.Agent({ keepAlive: true })

type Request = { headers: Record<string, string>; body: string }

export const handler = async ({ headers, body }: Request) => {
  const configuration = JSON.parse(Buffer.from(headers['x-bp-configuration']!, 'base64').toString())
  const { conversation, user, message, type, payload } = JSON.parse(body)
  const text = JSON.stringify({
    type,
    payload,
    conversationId: conversation.tags.id,
    botpressUserId: user.id,
    botpressMessageId: message.id,
    botpressConversationId: conversation.id,
  })
  await new Promise<void>((resolve, reject) => {
    http
      .request(configuration.responseEndpointURL, {
        agent,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
      })
      .on('response', (response) => response.resume().on('end', resolve))
      .on('error', reject)
      .end(text)
  })
  return { status: 200, body: '{}' }
}
