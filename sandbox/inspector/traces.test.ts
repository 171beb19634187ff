import type { Conversation, Message } from '@botpress/client'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Exchange } from '../cloud/exchange'
import { Traces } from './traces'

const fromBackend = (id: string, body: unknown, url = '/webhook'): Exchange => ({
  id,
  at: 0,
  from: 'backend',
  to: 'webhook',
  method: 'POST',
  url,
  requestHeaders: {},
  requestBody: typeof body === 'string' ? body : JSON.stringify(body),
})

const fromIntegration = (id: string, fields: Partial<Exchange>): Exchange => ({
  ...fromBackend(id, ''),
  from: 'integration',
  to: 'Botpress',
  ...fields,
})

const message = (id: string, fields: Partial<Message> = {}) =>
  ({ id, direction: 'outgoing', tags: {}, ...fields }) as Message

const conversation = { id: 'conv_1', tags: { id: 'tea' } } as unknown as Conversation

describe('what belongs to a trace', () => {
  let traces: Traces
  let sent: Exchange
  let incoming: Message

  beforeEach(() => {
    traces = new Traces()
    sent = fromBackend('webhook-1', { conversationId: 'tea', messageId: '1' })
    traces.ofExchange(sent)
    incoming = message('msg_1', { direction: 'incoming', tags: { id: '1' } })
    traces.ofMessage(incoming, conversation)
  })

  it('is the request, begun and ended, and the same message sent again', () => {
    expect(traces.ofExchange({ ...sent, status: 200 })).toBe('webhook-1')
    expect(traces.ofMessage(incoming, conversation)).toBe('webhook-1')
    expect(traces.ofExchange(fromBackend('webhook-2', { conversationId: 'tea', messageId: '1', text: 'x' }))).toBe(
      'webhook-1'
    )
    for (const url of ['/webhook/', '/webhook//', '//webhook?x=/y']) {
      expect(traces.ofExchange(fromBackend(url, { conversationId: 'tea', messageId: '1' }, url))).toBe('webhook-1')
    }
    expect(traces.ofExchange(fromBackend('bom', '\uFEFF{"conversationId":"tea","messageId":"1"}'))).toBe('webhook-1')
    expect(traces.ofExchange(fromBackend('webhook-3', { conversationId: 'lunch', messageId: '1' }))).toBe('webhook-3')
  })

  it.each(['not JSON', '[]', 'null', '{"conversationId":"tea"}', '{"conversationId":"tea","messageId":1}', ''])(
    'is no request whose body is %s',
    (body) => {
      expect(traces.ofExchange(fromBackend('webhook-2', body))).toBe('webhook-2')
    }
  )

  it('is no request to another route', () => {
    const body = { conversationId: 'tea', messageId: '1' }
    expect(traces.ofExchange(fromBackend('webhook-2', body, '/webhook/redeliveries'))).toBe('webhook-2')
    expect(traces.ofExchange(fromBackend('webhook-3', body, '/webhook/?x=1'))).toBe('webhook-1')
  })

  it('is what the integration asks of Botpress within the call', () => {
    expect(
      traces.ofExchange(fromIntegration('Botpress-1', { call: 'webhook-1', url: '/v1/chat/users/get-or-create' }))
    ).toBe('webhook-1')
  })

  it('is the bot’s answer, and what is done within the call for it', () => {
    traces.ofMessage(message('msg_2'), conversation, incoming)
    expect(
      traces.ofExchange(fromIntegration('endpoint-1', { to: 'endpoint', requestHeaders: { 'webhook-id': 'msg_2' } }))
    ).toBe('webhook-1')
    expect(traces.ofExchange(fromIntegration('Botpress-1', { call: 'msg_2', url: '/v1/chat/messages?x' }))).toBe(
      'webhook-1'
    )
  })

  it('is its delivery, and its mark, within the call for another message', () => {
    traces.ofMessage(message('msg_2'), conversation, incoming)
    traces.ofMessage(message('msg_3'), conversation)
    const delivery = { to: 'endpoint' as const, call: 'msg_3', requestHeaders: { 'webhook-id': 'msg_2' } }
    expect(traces.ofExchange(fromIntegration('endpoint-1', delivery))).toBe('webhook-1')
    expect(traces.ofExchange(fromIntegration('Botpress-1', { call: 'msg_3', url: '/v1/chat/messages/msg_2' }))).toBe(
      'webhook-1'
    )
  })

  it('is a trace of its own for what the bot begins, the registration, and what nothing is known of', () => {
    expect(traces.ofMessage(message('msg_9'), conversation)).toBe('msg_9')
    const test = { to: 'endpoint' as const, call: 'register-1', requestHeaders: { 'webhook-id': 'test' } }
    expect(traces.ofExchange(fromIntegration('endpoint-1', test))).toBe('register-1')
    expect(traces.ofExchange(fromIntegration('Botpress-1', { url: '/v1/chat/messages' }))).toBe('Botpress-1')
  })
})
