import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Remembered } from './remembered'

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
afterEach(() => void vi.useRealTimers())

const installation = { botId: 'bot', integrationId: 'integration', webhookId: 'webhook' }

describe('what is remembered', () => {
  it('is found by its id in its installation alone', () => {
    const remembered = new Remembered<object>({ maxSize: 10 })
    const entry = remembered.set(installation, 'id', {})
    expect(remembered.get(installation, 'id')).toBe(entry)
    expect(remembered.get(installation, 'another')).toBeUndefined()
    expect(remembered.get({ ...installation, botId: 'another' }, 'id')).toBeUndefined()
    expect(remembered.get({ ...installation, integrationId: 'another' }, 'id')).toBeUndefined()
    expect(remembered.get({ ...installation, webhookId: 'another' }, 'id')).toBeUndefined()
    expect(remembered.get({ ...installation, webhookId: 'webhook","id' }, '')).toBeUndefined()
    remembered.forget(installation, 'id')
    expect(remembered.get(installation, 'id')).toBeUndefined()
  })

  it('is at most five minutes old, however often it is used', () => {
    const remembered = new Remembered<object>({ maxSize: 10 })
    remembered.set(installation, 'id', {})
    for (let minute = 0; minute < 4; minute++) {
      vi.advanceTimersByTime(60_000)
      expect(remembered.get(installation, 'id')).toBeDefined()
    }
    vi.advanceTimersByTime(60_000)
    expect(remembered.get(installation, 'id')).toBeUndefined()
  })

  it('is bounded in number: what was used last stays', () => {
    const remembered = new Remembered<object>({ maxSize: 10 })
    const ids = Array.from({ length: 1000 }, (_, index) => `${index}`)
    remembered.set(installation, 'used', {})
    for (const id of ids) {
      remembered.set(installation, id, {})
      remembered.get(installation, 'used')
    }
    expect(remembered.get(installation, 'used')).toBeDefined()
    expect(ids.filter((id) => remembered.get(installation, id)).length).toBeLessThan(10)
  })

  it('is small: what is large is returned, and not kept, nor what it was before', () => {
    const remembered = new Remembered<object>({ maxSize: 10 })
    const large = { pictureUrl: 'x'.repeat(2000) }
    remembered.set(installation, 'id', {})
    expect(remembered.set(installation, 'id', large)).toBe(large)
    expect(remembered.get(installation, 'id')).toBeUndefined()
  })
})
