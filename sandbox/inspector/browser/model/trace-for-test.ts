import type { SeenExchange, SeenMessage } from '../../wire'
import { sentIn } from '../../traces'
import type { Trace } from './store'

const RUN = 'run~'

export const exchange = (fields: Partial<SeenExchange>): SeenExchange => ({
  id: `${RUN}exchange-${Math.random()}`,
  trace: 'trace',
  at: 0,
  from: 'integration',
  to: 'Botpress',
  method: 'POST',
  url: '/v1/chat/messages/get-or-create',
  requestHeaders: {},
  status: 200,
  durationMs: 10,
  ...fields,
})

const BODY = '{"userId":"ada","conversationId":"tea","messageId":"1","type":"text","text":"Hello"}'

export const request = ({ url = '/webhook', requestBody = BODY, ...fields }: Partial<SeenExchange> = {}) =>
  exchange({ from: 'backend', to: 'webhook', url, requestBody, sent: sentIn(url, requestBody), ...fields })

/** A try to deliver the message of that id. */
export const tryOf = (id: string, fields: Partial<SeenExchange>) =>
  exchange({ to: 'endpoint', url: 'http://localhost/endpoint', requestHeaders: { 'webhook-id': id }, ...fields })

export const reply = (id: string, fields: Partial<SeenMessage> = {}): SeenMessage => ({
  id: RUN + id,
  trace: 'trace',
  createdAt: new Date(100).toISOString(),
  type: 'text',
  direction: 'outgoing',
  conversationId: 'tea',
  payload: { text: 'You said: Hello' },
  text: 'You said: Hello',
  ...fields,
})

export const trace = (exchanges: SeenExchange[], messages: SeenMessage[] = []): Trace => ({
  id: 'trace',
  version: 0,
  exchanges: new Map(exchanges.map((one) => [one.id, one])),
  messages: new Map(messages.map((one) => [one.id, one])),
})
