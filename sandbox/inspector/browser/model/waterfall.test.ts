import { describe, expect, it } from 'vitest'
import { exchange, reply, request, trace, tryOf } from './trace-for-test'
import { rowsOf, scaleOf } from './waterfall.js'

describe('the rows of a waterfall', () => {
  it('are what belongs to no reply, in order of time, then each reply with its tries, and the pause before each', () => {
    const rows = rowsOf(
      trace(
        [
          tryOf('msg_a', { at: 1200 }),
          tryOf('msg_a', { at: 110, durationMs: 90, status: 500 }),
          tryOf('b', { at: 300 }),
          tryOf('msg_a', { at: 9000, isRedelivery: true }),
          exchange({ at: 9020, method: 'PUT', url: '/v1/chat/messages/msg_a' }),
          request(),
        ],
        [reply('msg_a')]
      )
    )
    expect(rows.map(({ kind, label, pauseMs, isOk }) => [kind, label, pauseMs, isOk])).toEqual([
      ['request', 'POST /webhook', undefined, true],
      ['try', 'try 1', undefined, true],
      ['message', 'You said: Hello', undefined, undefined],
      ['try', 'try 1', undefined, false],
      ['try', 'try 2', 1000, true],
      ['try', 'redelivery, try 1', undefined, true],
      ['call', 'PUT /messages/…', undefined, true],
    ])
    const message = rows.find(({ kind }) => kind === 'message')!
    expect([message.place, message.status]).toEqual([{ number: 1, of: 1, tries: 2 }, 'delivered'])
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

  it('has ticks at round moments, with room between them', () => {
    const ticksAfter = (ms: number) => scaleOf(rowsOf(trace([exchange({ durationMs: ms })])), 0).ticks
    expect(ticksAfter(1300)).toEqual([
      { at: 0, ms: 0 },
      { at: 600 / 1300, ms: 600 },
    ])
    expect(ticksAfter(4000).map(({ ms }) => ms)).toEqual([0, 2000])
    expect(ticksAfter(3000).map(({ ms }) => ms)).toEqual([0, 1500])
    for (let ms = 10; ms < 1e6; ms = Math.ceil(ms * 1.03)) expect(ticksAfter(ms), `after ${ms} ms`).toHaveLength(2)
    expect(ticksAfter(1).map(({ ms }) => ms)).toEqual([0])
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
