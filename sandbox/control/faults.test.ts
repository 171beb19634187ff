import { describe, expect, it } from 'vitest'
import { EndpointFaults } from '../cloud/function-host/endpoint-faults'
import { faultSettings, Faults } from './faults'

const faultsForTest = () => new Faults(new EndpointFaults())

describe('what is set to go wrong', () => {
  it('is nothing at first, and after all is mended', () => {
    const faults = faultsForTest()
    expect(faults.get()).toEqual({})
    faults.set({ endpoint: { down: true }, botpress: { delayMs: 5 } })
    faults.set()
    expect(faults.get()).toEqual({})
    expect(faults.nextApiFault()).toBeUndefined()
  })

  it.each([
    { status: 503, times: 2 },
    { status: 503, delayMs: 7, times: 2 },
    { hang: true, times: 1 },
    { reset: true },
    { down: true },
    { delayMs: 100 },
  ])('is told as it was set: %j', (endpoint) => {
    const faults = faultsForTest()
    const told: unknown[] = []
    faults.on('change', (settings) => told.push(settings))
    faults.set({ endpoint })
    expect(told).toEqual([{ endpoint }])
  })

  it('is nothing if it is to be no times, or nothing is said of it', () => {
    const faults = faultsForTest()
    for (const endpoint of [{ status: 500, times: 0 }, { times: 3 }]) {
      faults.set({ endpoint })
      expect(faults.get()).toEqual({})
    }
  })

  it('of Botpress counts down, and tells of it', () => {
    const faults = faultsForTest()
    faults.set({ botpress: { status: 429, delayMs: 7, times: 2 } })
    const told: unknown[] = []
    faults.on('change', ({ botpress }) => told.push(botpress?.times))
    const fault = { delayMs: 7, answer: { status: 429, body: { message: 'Switched on in the sandbox' } } }
    expect([1, 2, 3].map(() => faults.nextApiFault())).toEqual([fault, fault, undefined])
    expect(told).toEqual([1, undefined])
  })

  it('of Botpress lasts until it is mended without a count, and may be late alone', () => {
    const faults = faultsForTest()
    faults.set({ botpress: { delayMs: 5 } })
    expect([1, 2, 3].map(() => faults.nextApiFault())).toEqual(Array.from({ length: 3 }, () => ({ delayMs: 5 })))
  })

  it.each([
    [{ endpoint: { status: 200 } }, 'The status is 300 to 599'],
    [{ botpress: { status: 399 } }, 'The status is 400 to 599'],
    [{ endpoint: { times: 0 } }, 'How often is 1 to 1,000'],
    [{ endpoint: { delayMs: 60_001 } }, 'The delay in milliseconds is 0 to 60,000'],
    [{ endpoint: { does: 'fails' } }, 'Unrecognized key: "does"'],
  ])('is refused: %j', (settings, reason) => {
    expect(faultSettings.safeParse(settings).error?.issues[0]?.message).toBe(reason)
  })
})
