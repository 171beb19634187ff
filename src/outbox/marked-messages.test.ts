import type { Message } from '@botpress/client'
import { describe, expect, it } from 'vitest'
import { BotpressFailure } from '../botpress/botpress-failure'
import { type ListMarked, markedMessages, type Wanted } from './marked-messages'

const PAGE_SIZE = 3

/** `b7` is the seventh message, in conversation b. */
const messageOf = (id: string) =>
  ({ id, conversationId: id[0], createdAt: id.slice(1).padStart(5, '0') }) as unknown as Message

/** A list whose tokens are offsets: what moves up when others leave it is skipped. */
const listOf = (oldestFirst: string[]) => {
  const marked = new Set(oldestFirst)
  const asked: object[] = []
  const list: ListMarked = async ({ conversationId, nextToken = '0' }) => {
    asked.push({ conversationId })
    const found = [...marked].reverse().filter((id) => conversationId === undefined || id[0] === conversationId)
    const end = Number(nextToken) + PAGE_SIZE
    const meta = found.length > end ? { nextToken: String(end) } : {}
    return { messages: found.slice(Number(nextToken), end).map(messageOf), meta }
  }
  return { marked, asked, list }
}

/** All that is yielded, in its order. */
const walk = async (list: ListMarked, wanted: Partial<Wanted> = {}, onEach = (_id: string) => {}) => {
  const yielded: string[] = []
  for await (const { id } of markedMessages(list, { rankOf: () => 0, ...wanted })) {
    yielded.push(id)
    onEach(id)
  }
  return yielded
}

describe('markedMessages', () => {
  it('goes conversation by conversation, in each from the oldest to the newest', async () => {
    const { list } = listOf(['a1', 'b2', 'a3', 'a4', 'b5', 'a6', 'a7'])
    expect(await walk(list)).toEqual(['a1', 'a3', 'a4', 'a6', 'a7', 'b2', 'b5'])
    expect(await walk(list, { conversationId: 'b' })).toEqual(['b2', 'b5'])
  })

  it('yields all of a list that shrinks while it is walked, each once', async () => {
    const ids = Array.from({ length: 40 }, (_, index) => `${'abcdefghij'[index % 10]}${index}`)
    const { list, marked } = listOf(ids)
    const yielded = await walk(list, {}, (id) => marked.delete(id))
    expect(yielded.toSorted()).toEqual(ids.toSorted())
  })

  it('yields what is marked meanwhile', async () => {
    const { list, marked } = listOf(['a1'])
    const yielded = await walk(list, {}, (id) => id === 'a1' && marked.add('a2').add('b3'))
    expect(yielded.toSorted()).toEqual(['a1', 'a2', 'b3'])
  })

  it('yields lower ranks first, over all conversations, and leaves out what has none', async () => {
    const { list } = listOf(['a1', 'b2', 'a3', 'b4', 'c5'])
    const ranks: Record<string, number> = { a1: 2, b2: 0, a3: 0, b4: 5 }
    expect(await walk(list, { rankOf: ({ id }) => ranks[id] })).toEqual(['a3', 'b2', 'a1', 'b4'])
  })

  it('asks for no conversation of which nothing is wanted', async () => {
    const { list, asked } = listOf(['a1', 'b2'])
    await walk(list, { rankOf: () => undefined })
    expect(asked).toEqual([{ conversationId: undefined }])
  })

  it('stops at what is too old', async () => {
    const { list } = listOf(['a1', 'a2', 'a3', 'a4', 'a5', 'a6'])
    expect(await walk(list, { since: '00004' })).toEqual(['a4', 'a5', 'a6'])
  })

  it('takes what a page told of a conversation that cannot be listed, and throws what may pass', async () => {
    const { list } = listOf(['a1', 'b2', 'a3'])
    const failing =
      (status: number): ListMarked =>
      async (query) => {
        if (query.conversationId === 'a') throw new BotpressFailure('no', { status })
        return list(query)
      }
    expect(await walk(failing(403))).toEqual(['a1', 'a3', 'b2'])
    await expect(walk(failing(502))).rejects.toThrow('no')
  })
})
