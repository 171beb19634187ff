import { fork } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'

const WARM_UP = 1000
const TIMES = 5000

const requestTo = (origin: string) => {
  const [conversationId, userId, type, payload] = ['conv_1', 'user_1', 'text', { text: 'You said: Hello' }]
  const at = { createdAt: '2026-11-20T21:17:38.536Z', updatedAt: '2026-11-20T21:17:38.536Z' }
  return {
    method: 'POST',
    path: '/',
    query: '',
    headers: {
      'x-bot-id': 'bot_1',
      'x-bot-user-id': userId,
      'x-integration-id': 'int_1',
      'x-webhook-id': 'webhook_1',
      'x-bp-configuration': Buffer.from(JSON.stringify({ responseEndpointURL: `${origin}/bot` })).toString('base64'),
      'x-bp-operation': 'message_created',
    },
    body: JSON.stringify({
      type,
      payload,
      user: { id: userId, tags: {}, ...at },
      conversation: { id: conversationId, channel: 'channel', integration: 'x', tags: { id: 'tea' }, ...at },
      message: { id: 'msg_1', conversationId, userId, type, payload, direction: 'outgoing', tags: {}, ...at },
    }),
  }
}

/** The microseconds of CPU that a process with a bundle takes to deliver a message. The endpoint is in this process. */
export const cpuPerDelivery = async (bundle: string): Promise<number> => {
  // It is Botpress too, which has nothing to tell.
  const server = http.createServer((request, response) =>
    request.resume().on('end', () => response.end('{"messages":[],"meta":{}}'))
  )
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const options = [bundle, JSON.stringify(requestTo(origin)), String(WARM_UP), String(TIMES)]
  const child = fork(new URL('./deliver.cjs', import.meta.url), options, {
    execArgv: [],
    env: { ...process.env, BP_API_URL: origin, BP_TOKEN: 'token', ALLOW_PRIVATE_ENDPOINTS: 'true' },
  })
  const microseconds = await Promise.race([
    once(child, 'message').then(([figure]) => figure as number),
    once(child, 'exit').then(() => Promise.reject(new Error('The process ended'))),
  ])
  server.close().closeAllConnections()
  return microseconds
}
