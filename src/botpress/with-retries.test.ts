import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { BotpressFailure } from './botpress-failure'
import { withRetries } from './with-retries'

const limits = { limitMs: 200, firstPauseMs: 5 }

const busy = new BotpressFailure('busy', { status: 503 })

afterEach(() => void vi.restoreAllMocks())

/** Work that fails with each of `failures`, and succeeds then. */
const workThatFails = (...failures: Error[]) => {
  const work = async () => {
    const failure = failures[work.calls++]
    if (failure) throw failure
    return 'done'
  }
  work.calls = 0
  return work
}

describe('withRetries', () => {
  it('does the work again while it fails for a temporary reason', async () => {
    const work = workThatFails(busy, new BotpressFailure('reset'), new BotpressFailure('slow down', { status: 429 }))
    expect(await withRetries(work, { limitMs: 5000, firstPauseMs: 1 })).toBe('done')
    expect(work.calls).toBe(4)
  })

  it.each([
    ['a refusal', new BotpressFailure('bad', { status: 400 })],
    ['a status that is none of Botpress’s passing ones', new BotpressFailure('odd', { status: 501 })],
    ['an error of our own', new TypeError('a bug')],
    ['a network error that is not of the client', new Error('fetch failed')],
  ])('does not for %s', async (_what, error) => {
    const work = workThatFails(error)
    await expect(withRetries(work, limits)).rejects.toBe(error)
    expect(work.calls).toBe(1)
  })

  it('waits as long as Botpress has asked', async () => {
    const start = performance.now()
    const work = workThatFails(new BotpressFailure('slow down', { status: 429, retryAfterMs: 100 }))
    expect(await withRetries(work, { limitMs: 5000, firstPauseMs: 5 })).toBe('done')
    expect(performance.now() - start).toBeGreaterThanOrEqual(99)
  })

  it('adds to its pauses at random', async () => {
    // With the most that is added, the pause does not fit any more.
    const work = workThatFails(busy)
    vi.spyOn(Math, 'random').mockReturnValue(0.99)
    await expect(withRetries(work, { limitMs: 1100, firstPauseMs: 1000 })).rejects.toBe(busy)
    expect(work.calls).toBe(1)
  })

  it('gives up at once where Botpress asks for more time than there is', async () => {
    const failure = new BotpressFailure('slow down', { status: 429, retryAfterMs: 300 })
    const work = workThatFails(failure)
    await expect(withRetries(work, limits)).rejects.toBe(failure)
    expect(work.calls).toBe(1)
  })

  it('ends in time with the last failure', async () => {
    const work = async () => {
      throw busy
    }
    await expect(withRetries(work, limits)).rejects.toBe(busy)
  })

  it('ends in time with a timeout where the work hangs, whatever failed before', async () => {
    let calls = 0
    const work = async () => {
      if (++calls === 1) throw busy
      await sleep(10_000, undefined, { ref: false })
    }
    await expect(withRetries(work, limits)).rejects.toMatchObject({ more: { timedOut: true } })
  })

  it('repeats nothing that may not be repeated', async () => {
    const reset = new BotpressFailure('reset')
    const work = workThatFails(busy, reset)
    const mayRepeat = (failure: BotpressFailure) => failure === busy
    await expect(withRetries(work, { limitMs: 5000, firstPauseMs: 1, mayRepeat })).rejects.toBe(reset)
    expect(work.calls).toBe(2)
  })

  it('ends in time with a timeout where the work has not even failed', async () => {
    const work = () => sleep(10_000, undefined, { ref: false })
    await expect(withRetries(work, limits)).rejects.toMatchObject({ more: { timedOut: true } })
  })

  it('leaves no timer behind', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length
    const before = timers()
    await withRetries(workThatFails(), { limitMs: 60_000 })
    expect(timers()).toBe(before)
  })

  it('begins nothing more once it has given up', async () => {
    let calls = 0
    const work = async () => {
      calls++
      await sleep(20)
      throw busy
    }
    await expect(withRetries(work, { limitMs: 10, firstPauseMs: 1 })).rejects.toMatchObject({
      more: { timedOut: true },
    })
    await sleep(100)
    expect(calls).toBe(1)
  })
})
