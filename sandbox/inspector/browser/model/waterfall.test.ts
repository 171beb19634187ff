import { describe, expect, it } from 'vitest'
import { exchange, reply, request, trace, tryOf } from './trace-for-test'
import { rowsOf, scaleOf } from './waterfall.js'

describe('the rows of a waterfall', () => {
  it('are in the order of their beginning, each try with the pause before it', () => {
    const rows = rowsOf(
      trace(
        [
          tryOf('a', { at: 1200 }),
          tryOf('a', { at: 110, durationMs: 90, status: 500 }),
          tryOf('b', { at: 300 }),
          tryOf('a', { at: 9000, isRedelivery: true }),
          request(),
        ],
        [reply('a')]
      )
    )
    expect(rows.map(({ kind, label, pauseMs, isOk }) => [kind, label, pauseMs, isOk])).toEqual([
      ['request', 'POST /webhook', undefined, true],
      ['message', 'You said: Hello', undefined, undefined],
      ['try', 'try 1', undefined, false],
      ['try', 'try 1', undefined, true],
      ['try', 'try 2', 1000, true],
      ['try', 'redelivery, try 1', undefined, true],
    ])
  })

  it('fold the looks of one call into one', () => {
    const look = (at: number, call: string, fields = {}) =>
      exchange({ method: 'GET', url: '/v1/chat/messages?conversationId=c', at, call, ...fields })
    const rows = rowsOf(
      trace([look(1, 'x'), look(100, 'x'), look(200, 'x', { status: 502 }), look(3, 'y'), exchange({ at: 2 })])
    )
    expect(rows.map(({ label, exchanges, endedAt, isOk }) => [label, exchanges.length, endedAt, isOk])).toEqual([
      ['3 looks for messages', 3, 210, false],
      ['POST /messages/get-or-create', 1, 12, true],
      ['1 look for messages', 1, 13, true],
    ])
  })
})

describe('the axis', () => {
  it('is true to time', () => {
    const { place, breaks, durationMs } = scaleOf(rowsOf(trace([exchange({}), exchange({ at: 90 })])), 0)
    expect([place(0), place(50), place(100), breaks, durationMs]).toEqual([0, 0.5, 1, [], 100])
  })

  it('leaves out what is longer than a minute with nothing in it, and says so', () => {
    const hour = 3_600_000
    const { place, breaks, durationMs } = scaleOf(
      rowsOf(trace([exchange({}), exchange({ at: hour, durationMs: 10 })])),
      0
    )
    expect(breaks.map(({ ms }) => ms)).toEqual([hour - 10])
    expect(place(10)).toBeCloseTo(0.5, 1)
    expect(place(hour)).toBeGreaterThan(place(10))
    expect(place(hour + 10)).toBeCloseTo(1)
    expect(durationMs).toBe(hour + 10)
  })

  it('goes on to now while something is under way', () => {
    const { durationMs } = scaleOf(rowsOf(trace([exchange({ durationMs: undefined, status: undefined })])), 5000)
    expect(durationMs).toBe(5000)
  })
})
