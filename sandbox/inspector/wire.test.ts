import type { Conversation, Message } from '@botpress/client'
import { describe, expect, it } from 'vitest'
import { CloudEvents } from '../cloud/cloud-events'
import type { Exchange } from '../cloud/exchange'
import { Wire } from './wire'

const exchange = (number: number, fields: Partial<Exchange> = {}): Exchange => ({
  id: `webhook-${number}`,
  at: number,
  from: 'backend',
  to: 'webhook',
  method: 'POST',
  url: '/webhook',
  requestHeaders: {},
  ...fields,
})

const watched = () => {
  const events = new CloudEvents()
  const wire = new Wire(events, () => '')
  const kept = (kind: string) => wire.events.filter((event) => event.kind === kind)
  return { events, wire, kept }
}

describe('what has gone over the wire', () => {
  it('is kept up to 2,000 requests: the oldest go', () => {
    const { events, wire, kept } = watched()
    for (let number = 0; number < 2001; number++) events.emit('exchange', exchange(number))
    expect(kept('exchange')).toHaveLength(2000)
    expect(wire.exchange('webhook-0')).toBeUndefined()
    expect(wire.exchange('webhook-1')).toBeDefined()
  })

  it('is kept up to 1,000 messages', () => {
    const { events, wire, kept } = watched()
    const conversation = { id: 'conv', tags: {} } as unknown as Conversation
    for (let number = 0; number < 1001; number++) {
      events.emit('message', { id: `msg_${number}`, payload: {}, tags: {} } as unknown as Message, conversation)
    }
    expect(kept('message')).toHaveLength(1000)
    expect(wire.message('msg_0')).toBeUndefined()
  })

  it('is kept up to 64 M characters of bodies, whatever grows', () => {
    const { events, kept } = watched()
    const body = 'x'.repeat(1024 * 1024)
    for (let number = 0; number < 40; number++) {
      events.emit('exchange', exchange(number, { requestBody: body }))
      events.emit('exchange', exchange(number, { requestBody: body, responseBody: body, status: 200 }))
    }
    expect(kept('exchange')).toHaveLength(32)
  })

  it('is told in the order of its beginning, whatever it was', () => {
    const { events, wire } = watched()
    const conversation = { id: 'conv', tags: {} } as unknown as Conversation
    events.emit('exchange', exchange(1000))
    events.emit('exchange', exchange(3000))
    const createdAt = new Date(2000).toISOString()
    events.emit('message', { id: 'msg', createdAt, payload: {}, tags: {} } as unknown as Message, conversation)
    expect(wire.events.map(({ kind }) => kind)).toEqual(['exchange', 'message', 'exchange', 'instances'])
  })

  it('tells redeliveries from the tries of the first delivery, and the external ids of what was sent', () => {
    const { events, wire } = watched()
    const message = { id: 'msg', payload: {}, tags: {} } as unknown as Message
    const attempt = (number: number, call = 'msg') =>
      exchange(number, { from: 'integration', to: 'endpoint', call, requestHeaders: { 'webhook-id': 'msg' } })
    events.emit('message', message, { id: 'conv', tags: {} } as unknown as Conversation)
    events.emit('exchange', attempt(1))
    events.emit('exchange', attempt(4, 'msg_2'))
    events.emit('delivery', { message, error: 'down' })
    events.emit('exchange', { ...attempt(1), status: 500 })
    events.emit('exchange', attempt(2))
    expect(wire.exchange('webhook-1')!.isRedelivery).toBeUndefined()
    expect(wire.exchange('webhook-2')!.isRedelivery).toBe(true)
    expect(wire.exchange('webhook-4')!.isRedelivery).toBe(true)
    const ids = { conversationId: 'tea', messageId: '1', userId: 'ada' }
    events.emit('exchange', exchange(3, { requestBody: JSON.stringify({ ...ids, text: 'Hello' }) }))
    expect(wire.exchange('webhook-3')!.sent).toEqual(ids)
  })

  it('is told with no more than the beginnings of its bodies, and kept whole', () => {
    const { events, wire } = watched()
    const told: unknown[] = []
    wire.on('event', (event) => told.push(event))
    events.emit('exchange', exchange(1, { requestBody: 'x'.repeat(20_001), requestBodyOmitted: 4 }))
    expect(told).toEqual([
      {
        kind: 'exchange',
        exchange: expect.objectContaining({ requestBody: 'x'.repeat(20_000), requestBodyOmitted: 5 }),
      },
    ])
    expect(wire.exchange('webhook-1')!.requestBody).toHaveLength(20_001)
  })
})
