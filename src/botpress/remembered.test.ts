import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Remembered } from './remembered'

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
afterEach(() => void vi.useRealTimers())

describe('what is remembered', () => {
  it('is found by its whole key', () => {
    const remembered = new Remembered<object>({ maxSize: 10 })
    const entry = remembered.set(['bot', 'integration', 'id'], {})
    expect(remembered.get(['bot', 'integration', 'id'])).toBe(entry)
    expect(remembered.get(['another', 'integration', 'id'])).toBeUndefined()
    expect(remembered.get(['bot', 'another', 'id'])).toBeUndefined()
    expect(remembered.get(['bot', 'integration","id'])).toBeUndefined()
    remembered.forget(['bot', 'integration', 'id'])
    expect(remembered.get(['bot', 'integration', 'id'])).toBeUndefined()
  })

  it('is at most five minutes old, however often it is used', () => {
    const remembered = new Remembered<object>({ maxSize: 10 })
    remembered.set(['id'], {})
    for (let minute = 0; minute < 4; minute++) {
      vi.advanceTimersByTime(60_000)
      expect(remembered.get(['id'])).toBeDefined()
    }
    vi.advanceTimersByTime(60_000)
    expect(remembered.get(['id'])).toBeUndefined()
  })

  it('is bounded in number: what was used last stays', () => {
    const remembered = new Remembered<object>({ maxSize: 10 })
    const ids = Array.from({ length: 1000 }, (_, index) => `${index}`)
    remembered.set(['used'], {})
    for (const id of ids) {
      remembered.set([id], {})
      remembered.get(['used'])
    }
    expect(remembered.get(['used'])).toBeDefined()
    expect(ids.filter((id) => remembered.get([id])).length).toBeLessThanOrEqual(20)
  })
})
