import type { Client, Message } from '@botpress/client'
import { expect, it } from 'vitest'
import { waitForReplies } from './wait-for-replies'

const sent: Message = {
  id: 'sent',
  createdAt: new Date().toISOString(),
  type: 'text',
  payload: {},
  direction: 'incoming',
  userId: 'user',
  conversationId: 'conversation',
  tags: {},
}

it('starts quick and slows down: the first look within 200 ms, at most a second between looks', async () => {
  let time = 0
  const looks: number[] = []
  const client = {
    listMessages: async () => {
      looks.push(time)
      return { messages: [sent], meta: {} }
    },
  } as unknown as Client
  const clock = { now: () => time, sleep: async (ms: number) => void (time += ms) }

  expect(await waitForReplies(client, { sent, conversationId: 'external', waitMs: 10_000 }, clock)).toEqual([])

  const pauses = looks.map((look, index) => look - (looks[index - 1] ?? 0))
  expect(pauses[0]).toBeLessThanOrEqual(200)
  expect(Math.max(...pauses)).toBeLessThanOrEqual(1000)
  expect(pauses.slice(0, 5)).toEqual(pauses.slice(0, 5).toSorted((a, b) => a - b))
  expect(looks.length).toBeLessThan(20)
})
