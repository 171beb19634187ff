import { describe, expect, it } from 'vitest'
import { faultChanges, Faults } from './faults'

describe('what is set to go wrong', () => {
  it('is nothing at first, and after a reset', () => {
    const faults = new Faults()
    faults.change({ endpoint: { does: 'is down' }, botpress: { delayMs: 5 } })
    faults.reset()
    expect(faults.nextEndpointAnswer()).toEqual({ status: 204, delayMs: 0 })
    expect(faults.nextApiFault()).toBeUndefined()
  })

  it.each([
    ['fails', { status: 500, delayMs: 7 }],
    ['hangs', 'hang'],
    ['redirects', { status: 302, location: '/elsewhere', delayMs: 7 }],
  ] as const)('counts down while the endpoint %s, and then it answers', (does, answer) => {
    const faults = new Faults()
    const told: number[] = []
    faults.change({ endpoint: { does, times: 2, delayMs: 7 } })
    faults.on('change', ({ endpoint }) => told.push(endpoint.times))
    expect([1, 2, 3].map(() => faults.nextEndpointAnswer())).toEqual([answer, answer, { status: 204, delayMs: 7 }])
    expect([...new Set(told)]).toEqual([1, 0])
    expect(faults.get().endpoint.does).toBe('answers')
  })

  it('is nothing where it is to be no times', () => {
    const faults = new Faults()
    faults.change({ endpoint: { does: 'fails', times: 0 } })
    expect(faults.nextEndpointAnswer()).toEqual({ status: 204, delayMs: 0 })
  })

  it('lasts until it is switched back while the endpoint is down', () => {
    const faults = new Faults()
    faults.change({ endpoint: { does: 'is down', times: 1 } })
    expect([1, 2, 3].map(() => faults.nextEndpointAnswer())).toEqual(
      Array.from({ length: 3 }, () => ({ status: 503, delayMs: 0 }))
    )
  })

  it('counts down calls to Botpress', () => {
    const faults = new Faults()
    faults.change({ botpress: { status: 502, times: 1 } })
    expect(faults.nextApiFault()).toMatchObject({ delayMs: 0, answer: { status: 502 } })
    expect(faults.nextApiFault()).toBeUndefined()
  })

  it.each(['endpoint', 'botpress'] as const)('counts down what is late of the %s, and then it is not', (part) => {
    const faults = new Faults()
    const delayOf = {
      endpoint: () => (faults.nextEndpointAnswer() as { delayMs: number }).delayMs,
      botpress: () => faults.nextApiFault()?.delayMs ?? 0,
    }[part]
    faults.change({ [part]: { delayMs: 9, delayTimes: 2 } })
    expect(delayOf()).toBe(9)
    expect(faults.get()[part]).toMatchObject({ delayMs: 9, delayTimes: 1 })
    expect(delayOf()).toBe(9)
    expect(faults.get()[part]).toMatchObject({ delayMs: 0, delayTimes: 10 })
    expect(delayOf()).toBe(0)
  })

  it('is apart: what is late, and what fails', () => {
    const faults = new Faults()
    faults.change({ botpress: { status: 502, times: 1, delayMs: 9 } })
    expect(faults.nextApiFault()).toMatchObject({ delayMs: 9, answer: { status: 502 } })
    expect(faults.nextApiFault()).toEqual({ delayMs: 9 })
  })

  it.each([
    [{ endpoint: { does: 'explodes' } }],
    [{ endpoint: { status: 399 } }],
    [{ endpoint: { status: 600 } }],
    [{ endpoint: { times: -1 } }],
    [{ endpoint: { times: 101 } }],
    [{ botpress: { times: 1.5 } }],
    [{ botpress: { delayMs: 60_001 } }],
    [{ botpress: { delayMs: null } }],
    [{ botpress: { delayTimes: 0 } }],
    [{ endpoint: { delayTimes: 101 } }],
    [{ endpoint: { delayTimes: 1.5 } }],
    [{ backend: {} }],
  ])('is not %j, and it is told why', (changes) => {
    expect(faultChanges.safeParse(changes).error?.issues[0]?.message).toMatch(/\w/)
  })
})
