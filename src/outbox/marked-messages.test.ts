import type { Message } from '@botpress/client'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { BotpressFailure } from '../botpress/botpress-failure'
import { type ListMarked, markedMessages } from './marked-messages'

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

type Options = { conversationId?: string; isWanted?: (message: Message) => boolean; onEach?: (id: string) => void }

/** All that is yielded, in its order. */
const walk = async (list: ListMarked, { conversationId, isWanted, onEach = () => {} }: Options = {}) => {
  const yielded: string[] = []
  for await (const { id } of markedMessages(list, { conversationId, isWanted })) {
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
    const yielded = await walk(list, { onEach: (id) => void marked.delete(id) })
    expect(yielded.toSorted()).toEqual(ids.toSorted())
  })

  it('yields what is marked meanwhile', async () => {
    const { list, marked } = listOf(['a1'])
    const yielded = await walk(list, { onEach: (id) => void (id === 'a1' && marked.add('a2').add('b3')) })
    expect(yielded.toSorted()).toEqual(['a1', 'a2', 'b3'])
  })

  it('leaves out what is not wanted', async () => {
    const { list } = listOf(['a1', 'b2', 'a3', 'b4', 'c5'])
    expect(await walk(list, { isWanted: ({ id }) => ['a1', 'a3', 'b4'].includes(id) })).toEqual(['b4', 'a1', 'a3'])
  })

  it('asks for no conversation of which nothing is wanted', async () => {
    const { list, asked } = listOf(['a1', 'b2'])
    await walk(list, { isWanted: () => false })
    expect(asked).toEqual([{ conversationId: undefined }])
  })

  it('asks no more than is needed: for the list, for conversations if it has several pages, and whether there is more', async () => {
    const few = listOf(['a1', 'b2', 'a3'])
    await walk(few.list, { onEach: (id) => void few.marked.delete(id) })
    expect(few.asked).toEqual([{ conversationId: undefined }, { conversationId: undefined }])
    const many = listOf(['a1', 'a2', 'a3', 'a4'])
    await walk(many.list, { onEach: (id) => void many.marked.delete(id) })
    const ofConversation = [{ conversationId: 'a' }, { conversationId: 'a' }]
    expect(many.asked.slice(0, 3)).toEqual([{ conversationId: undefined }, ...ofConversation])
  })

  it('puts what it can list of a long conversation in 3 s in order, and then the rest', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    onTestFinished(() => void vi.useRealTimers())
    const { list, marked } = listOf(['a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7', 'a8'])
    const slow: ListMarked = (query) => {
      vi.setSystemTime(Date.now() + 1500)
      return list(query)
    }
    const yielded = await walk(slow, { onEach: (id) => void marked.delete(id) })
    expect(yielded).toEqual(['a3', 'a4', 'a5', 'a6', 'a7', 'a8', 'a1', 'a2'])
  })

  it.each([
    ['cannot be listed for good, so that it may be gone: what a page told of it', 403, ['a3', 'a4', 'b2', 'a1']],
    ['cannot be listed now: nothing of it', 502, ['b2']],
  ])('of a conversation that %s', async (_what, status, expected) => {
    const { list } = listOf(['a1', 'b2', 'a3', 'a4'])
    const failing: ListMarked = async (query) => {
      if (query.conversationId === 'a') throw new BotpressFailure('no', { status })
      return list(query)
    }
    expect(await walk(failing)).toEqual(expected)
  })
})
