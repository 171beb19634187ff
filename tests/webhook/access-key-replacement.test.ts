import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { messageBody, send } from '../harness/backend'
import { installationForTest } from '../harness/for-test'

describe('two keys, while one is being replaced', () => {
  const newKey = () => randomBytes(32).toString('hex')
  const [former, next] = [newKey(), newKey()] as const

  it('both let in, also side by side, and the two in one word do not', async () => {
    const own = await installationForTest({ accessKey: `${former} ${next}`, bot: () => [] })
    for (const key of [former, next]) {
      expect((await send(own, messageBody(), { authorization: `Bearer ${key}` })).status).toBe(200)
    }
    expect((await send(own, messageBody(), { authorization: `Bearer ${former} ${next}` })).status).toBe(200)
    for (const joined of [former + next, `${former},${next}`]) {
      expect((await send(own, messageBody(), { authorization: `Bearer ${joined}` })).status).toBe(401)
      const headers = { 'x-bp-secret': joined }
      expect((await send(own, messageBody(), { authorization: null, headers })).status).toBe(401)
    }
  })

  it('replacing one loses nothing that is sent throughout', async () => {
    const heard: unknown[] = []
    const own = await installationForTest({
      accessKey: former,
      bot: ({ payload }) => {
        heard.push(payload.text)
        return []
      },
    })
    let key = former
    const done = new AbortController()
    const statuses: number[] = []
    const backend = async (name: string) => {
      for (let count = 0; !done.signal.aborted; count++) {
        const body = messageBody({ conversationId: name, text: `${name} ${count}` })
        statuses.push((await send(own, body, { authorization: `Bearer ${key}` })).status)
      }
    }
    const sending = ['a', 'b', 'c'].map(backend)
    const someMore = async () => {
      const before = statuses.length
      await expect.poll(() => statuses.length).toBeGreaterThan(before + 10)
    }
    await someMore()
    own.configure({ accessKey: `${former}\n${next}` })
    expect((await own.register()).status).toBe(200)
    await someMore()
    key = next
    await someMore()
    own.configure({ accessKey: next })
    await someMore()
    done.abort()
    await Promise.all(sending)
    await own.settled()
    expect(new Set(statuses)).toEqual(new Set([200]))
    expect(heard).toHaveLength(statuses.length)
    expect(new Set(heard).size).toBe(statuses.length)
    expect((await send(own, messageBody(), { authorization: `Bearer ${former}` })).status).toBe(401)
  })
})
