import type { Client, Message } from '@botpress/client'
import { describe, expect, it } from 'vitest'
import { BotpressFailure } from '../botpress/botpress-failure'
import { waitForReplies, type WaitOptions } from './wait-for-replies'

const START = Date.UTC(2026, 0, 1)

const messageAt = (id: string, ms: number, direction: Message['direction'] = 'outgoing'): Message => ({
  id,
  createdAt: new Date(START + ms).toISOString(),
  type: 'text',
  payload: { text: id },
  direction,
  userId: 'user',
  conversationId: 'conversation',
  tags: {},
})

const sent = messageAt('sent', 0, 'incoming')

type Look = { at: number; page: number }

/**
 * Waits in a conversation that is looked at with a clock of its own.
 *
 * @param pagesAt the pages of the conversation at a time in milliseconds, the newest first; it may throw
 */
const wait = async (pagesAt: (time: number, look: number) => Message[][], options: Partial<WaitOptions> = {}) => {
  let time = 0
  const looks: Look[] = []
  const client = {
    listMessages: async ({ nextToken }: { nextToken?: string }) => {
      const page = Number(nextToken ?? 0)
      looks.push({ at: time, page })
      const pages = pagesAt(time, looks.filter((look) => look.page === 0).length)
      return { messages: pages[page]!, meta: page + 1 < pages.length ? { nextToken: String(page + 1) } : {} }
    },
  } as unknown as Client
  const clock = { now: () => time, sleep: async (ms: number) => void (time += ms) }
  const replies = await waitForReplies(client, { sent, waitMs: 10_000, ...options }, clock)
  return { texts: replies.map(({ id }) => id), looks, time }
}

describe('waiting for replies', () => {
  it('starts quick and slows down: the first look within 200 ms, at most a second between looks', async () => {
    const { texts, looks } = await wait(() => [[sent]])
    expect(texts).toEqual([])
    const pauses = looks.map(({ at }, index) => at - (looks[index - 1]?.at ?? 0))
    expect(pauses[0]).toBeLessThanOrEqual(200)
    expect(Math.max(...pauses)).toBeLessThanOrEqual(1000)
    expect(pauses.slice(0, 5)).toEqual(pauses.slice(0, 5).sort((a, b) => a - b))
    expect(looks.length).toBeLessThan(20)
  })

  it('ends with the first look that finds nothing new a second after the last reply', async () => {
    const reply = messageAt('reply', 100)
    const { texts, time } = await wait(() => [[reply, sent]])
    expect(texts).toEqual(['reply'])
    expect(time).toBeGreaterThanOrEqual(1150)
    expect(time).toBeLessThan(1500)
  })

  it('goes on while replies follow each other within a second', async () => {
    const replies = [0, 900, 1800, 2700].map((ms) => messageAt(`at ${ms}`, ms))
    const { texts } = await wait((time) => [
      [...replies.filter(({ createdAt }) => Date.parse(createdAt) <= START + time).reverse(), sent],
    ])
    expect(texts).toEqual(['at 0', 'at 900', 'at 1800', 'at 2700'])
  })

  it('sees a reply that is older than one before it, and becomes visible later', async () => {
    const [older, newer] = [messageAt('older', 100), messageAt('newer', 200)]
    const { texts } = await wait((time) => [time < 500 ? [newer, sent] : [newer, older, sent]])
    expect(texts).toEqual(['older', 'newer'])
  })

  it('keeps a reply that a later look does not show', async () => {
    const [one, two] = [messageAt('one', 100), messageAt('two', 200)]
    const { texts } = await wait((_time, look) => [look === 1 ? [one, sent] : [two, sent]])
    expect(texts).toEqual(['one', 'two'])
  })

  it('takes replies of the same millisecond in the order that Botpress lists them', async () => {
    const [one, two, three] = ['one', 'two', 'three'].map((id) => messageAt(id, 100))
    const { texts } = await wait((_time, look) => [look === 1 ? [two!, sent] : [three!, two!, one!, sent]])
    expect(texts).toEqual(['one', 'two', 'three'])
  })

  it('reads all pages since the message, and none before it', async () => {
    const pages = Array.from({ length: 50 }, (_page, page) =>
      Array.from({ length: 20 }, (_message, index) =>
        messageAt(`${1000 - page * 20 - index}`, 1000 - page * 20 - index)
      )
    )
    const { texts, looks } = await wait(() => [...pages, [sent], [messageAt('before', -1)]])
    expect(texts).toHaveLength(1000)
    expect(texts[0]).toBe('1')
    expect(Math.max(...looks.map(({ page }) => page))).toBe(50)
  })

  it('ends at what is older than the message, where that has been deleted', async () => {
    const { texts, looks } = await wait(() => [
      [messageAt('reply', 1), messageAt('before', -1)],
      [messageAt('far before', -2)],
    ])
    expect(texts).toEqual(['reply'])
    expect(looks.every(({ page }) => page === 0)).toBe(true)
  })

  it('takes a reply of the same millisecond as the message', async () => {
    expect((await wait(() => [[messageAt('reply', 0), sent]])).texts).toEqual(['reply'])
  })

  it('does not end on a look that fails', async () => {
    const replies = [messageAt('one', 100), messageAt('two', 1200)]
    const failed: number[] = []
    const { texts } = await wait((time) => {
      // Also at the moment of quiet, a second after the first look.
      if (time >= 1000 && time < 1500) {
        failed.push(time)
        throw new BotpressFailure('busy', { status: 503 })
      }
      return [time < 1500 ? [replies[0]!, sent] : [...replies].reverse().concat(sent)]
    })
    expect(failed).toContain(1150)
    expect(texts).toEqual(['one', 'two'])
  })

  it('keeps what a look has found before it failed', async () => {
    const { texts } = await wait((_time, look) => {
      if (look > 1) throw new BotpressFailure('no', { status: 403 })
      return [[messageAt('reply', 1), sent]]
    })
    expect(texts).toEqual(['reply'])
  })

  it('pauses as long as Botpress asks', async () => {
    const { looks } = await wait(
      (_time, look) => {
        if (look === 1) throw new BotpressFailure('slow down', { status: 429, retryAfterMs: 3000 })
        return [[messageAt('reply', 1), sent]]
      },
      { enough: 1 }
    )
    expect(looks.map(({ at }) => at)).toEqual([150, 3150])
  })

  it('ends where Botpress asks for more time than there is', async () => {
    const { looks, time } = await wait(() => {
      throw new BotpressFailure('slow down', { status: 429, retryAfterMs: 60_000 })
    })
    expect(looks).toHaveLength(1)
    expect(time).toBeLessThan(1000)
  })

  it('is done with as many replies as are enough, and returns what is there', async () => {
    const replies = ['three', 'two', 'one'].map((id, index) => messageAt(id, 300 - index * 100))
    const { texts, looks } = await wait(() => [[...replies, sent]], { enough: 2 })
    expect(texts).toEqual(['one', 'two', 'three'])
    expect(looks).toHaveLength(1)
  })

  it('is not done with enough replies of a look that broke off: it has seen the newest ones only', async () => {
    const replies = Array.from({ length: 4 }, (_reply, index) => messageAt(`${index + 1}`, 100 * (index + 1))).reverse()
    let looks = 0
    const client = {
      listMessages: async ({ nextToken }: { nextToken?: string }) => {
        if (!nextToken) return { messages: replies.slice(0, 2), meta: { nextToken: '1' } }
        if (++looks === 1) throw new BotpressFailure('busy', { status: 503 })
        return { messages: [...replies.slice(2), sent], meta: {} }
      },
    } as unknown as Client
    let time = 0
    const clock = { now: () => time, sleep: async (ms: number) => void (time += ms) }
    const found = await waitForReplies(client, { sent, waitMs: 5000, enough: 2 }, clock)
    expect(found.map(({ id }) => id)).toEqual(['1', '2', '3', '4'])
  })

  it('waits for enough replies, however far apart they are', async () => {
    const replies = [0, 3000, 6000].map((ms) => messageAt(`at ${ms}`, ms))
    const { texts, time } = await wait(
      (now) => [[...replies.filter(({ createdAt }) => Date.parse(createdAt) <= START + now).reverse(), sent]],
      { enough: 3 }
    )
    expect(texts).toEqual(['at 0', 'at 3000', 'at 6000'])
    expect(time).toBeLessThan(8000)
  })

  it('ends where Botpress refuses for good', async () => {
    const { looks } = await wait(() => {
      throw new BotpressFailure('no', { status: 403 })
    })
    expect(looks).toHaveLength(1)
  })

  it('goes on after a look that took long', async () => {
    let time = 0
    let looks = 0
    const client = {
      listMessages: async () => {
        time += ++looks === 1 ? 7000 : 10
        return { messages: time > 8000 ? [messageAt('reply', 8000), sent] : [sent], meta: {} }
      },
    } as unknown as Client
    const clock = { now: () => time, sleep: async (ms: number) => void (time += ms) }
    const options = { sent, waitMs: 20_000, enough: 1 }
    expect(await waitForReplies(client, options, clock)).toHaveLength(1)
  })

  it('leaves time for its last look to end', async () => {
    let time = 0
    const looks: number[] = []
    const client = {
      listMessages: async () => {
        looks.push(time)
        time += 400
        return { messages: [sent], meta: {} }
      },
    } as unknown as Client
    const clock = { now: () => time, sleep: async (ms: number) => void (time += ms) }
    await waitForReplies(client, { sent, waitMs: 5000 }, clock)
    expect(time).toBeLessThanOrEqual(5000)
    expect(looks.at(-1)).toBeGreaterThan(3000)
  })
})
