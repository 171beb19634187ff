import { expect, it } from 'vitest'
import { messageRequest } from '../../../../../src/webhook/request/message-request'
import { eventRequest } from '../../../../../src/webhook/routes/send-event'
import type { SeenExchange } from '../../../wire'
import { FIELDS, hintsFor } from './hints'

const hints = (body: object, { url = '/webhook', method = 'POST' } = {}) =>
  hintsFor({ from: 'backend', to: 'webhook', method, url, requestBody: JSON.stringify(body) } as SeenExchange)

it('knows the fields that the integration takes', () => {
  expect(FIELDS['']!.toSorted()).toEqual(Object.keys(messageRequest.shape).toSorted())
  expect(FIELDS['events']!.toSorted()).toEqual(Object.keys(eventRequest.shape).toSorted())
})

it('tells of ids of Botpress, with which each turn opens another conversation', () => {
  const conversationId = 'conv_01M7XD4WV875SH0DFR0G4W7NY3'
  expect(hints({ conversationId })).toEqual([expect.stringContaining('The conversationId is one of Botpress.')])
  expect(hints({ userId: conversationId.replace('conv', 'user') }, { url: '/webhook//events/?x' })).toHaveLength(1)
  expect(hints({ conversationId: 'conv_1', userId: 'user_of_mine' })).toEqual([])
})

it('tells of fields that are ignored', () => {
  expect(hints({ userId: 'ada', metadata: {}, userData: 1, payload: { metadata: 1 } })).toEqual([
    'Ignored: metadata, userData. What the bot should get goes into the payload.',
  ])
  expect(hints({ messageId: '1' }, { url: '/webhook/events' })).toHaveLength(1)
})

it('tells nothing of other requests', () => {
  for (const url of ['/webhook/pull', '/webhook/events/x', '/webhook/constructor'])
    expect(hints({ taken: [] }, { url })).toEqual([])
  expect(hints({ metadata: 1 }, { method: 'GET' })).toEqual([])
  expect(hints([{ metadata: 1 }])).toEqual([])
  expect(hintsFor({ from: 'backend', method: 'POST', url: '/webhook', requestBody: 'a=1' } as SeenExchange)).toEqual([])
})
