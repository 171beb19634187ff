import { afterEach, describe, expect, it, vi } from 'vitest'
import { backoffMs } from './backoff'

afterEach(() => void vi.restoreAllMocks())

describe('backoffMs', () => {
  it('doubles from try to try', () => {
    vi.spyOn(Math, 'random').mockReturnValue(0)
    expect([1, 2, 3, 4].map((tries) => backoffMs(tries, 100))).toEqual([100, 200, 400, 800])
  })

  it('adds up to a fifth at random', () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5)
    expect(backoffMs(1, 100)).toBeCloseTo(110)
    expect(backoffMs(1, 100, 1000)).toBeCloseTo(1100)
  })

  it('is the longer one of what is due and what is asked for', () => {
    vi.spyOn(Math, 'random').mockReturnValue(0)
    expect(backoffMs(3, 100, 1)).toBe(400)
    expect(backoffMs(3, 100, 5000)).toBe(5000)
  })
})
