import { fork } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'

const WARM_UP = 500
const TIMES = 2000

const at = { createdAt: '2026-11-20T21:17:38.536Z', updatedAt: '2026-11-20T21:17:38.536Z' }
const [conversationId, userId, type, payload] = ['conv_1', 'user_1', 'text', { text: 'You said: Hello' }]
const user = { id: userId, tags: {}, ...at }
const conversation = { id: conversationId, channel: 'channel', integration: 'x', tags: { id: 'tea' }, ...at }
const message = { id: 'msg_1', conversationId, userId, type, payload, direction: 'outgoing', tags: {}, ...at }

/** What Botpress answers to whatever it is asked. */
const ANSWER = JSON.stringify({ user, conversation, message, messages: [], meta: {} })

const webhookRequest = {
  method: 'POST',
  path: '',
  query: '',
  headers: { authorization: 'Bearer bp_pat_token' },
  body: JSON.stringify({ userId: 'ada', messageId: 'm1', conversationId: 'tea', type: 'text', text: 'Hello' }),
}

const requests = {
  in: { operation: 'webhook_received', body: { req: webhookRequest } },
  out: { operation: 'message_created', body: { type, payload, user, conversation, message } },
}

const requestOf = (way: keyof typeof requests, origin: string) => ({
  method: 'POST',
  path: '/',
  query: '',
  headers: {
    'x-bot-id': 'bot_1',
    'x-bot-user-id': userId,
    'x-integration-id': 'int_1',
    'x-webhook-id': 'webhook_1',
    'x-bp-configuration': Buffer.from(JSON.stringify({ responseEndpointURL: `${origin}/bot` })).toString('base64'),
    'x-bp-operation': requests[way].operation,
  },
  body: JSON.stringify(requests[way].body),
})

/**
 * The microseconds of CPU that a process with a bundle takes for a message of a backend (in) or of the bot (out). Botpress
 * and the endpoint are in this process.
 */
export const cpuPerMessage = async (bundle: string, way: keyof typeof requests): Promise<number> => {
  const server = http.createServer((request, response) => request.resume().on('end', () => response.end(ANSWER)))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const options = [bundle, JSON.stringify(requestOf(way, origin)), String(WARM_UP), String(TIMES)]
  const child = fork(new URL('./call.cjs', import.meta.url), options, {
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
