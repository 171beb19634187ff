import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { retryAfterMs } from './retry-after'

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 1) }))
afterEach(() => void vi.useRealTimers())

it.each([
  ['1', 1000],
  ['0', 0],
  [' 30 ', 30_000],
  ['0.001', 1],
  ['Thu, 01 Jan 2026 00:00:09 GMT', 9000],
  ['Wed, 31 Dec 2025 23:59:59 GMT', 0],
  ['-1e9', undefined],
  ['soon', undefined],
  ['', undefined],
  [undefined, undefined],
])('%j asks to wait %j ms', (header, ms) => {
  expect(retryAfterMs(header)).toBe(ms)
})
