import { expect, it } from 'vitest'
import { reply, request, trace, tryOf } from './trace-for-test'
import { numbersOf } from './numbers.js'
import { summaryOf } from './trace.js'

it('the numbers count messages that were sent and refused, and messages of the bot by what became of them', () => {
  const trip = (durationMs: number) => trace([request(), tryOf('a', { at: 0, durationMs })], [reply('a')])
  const retried = trace(
    [request(), tryOf('a', { at: 1, status: 500 }), tryOf('a', { at: 900, durationMs: 100 })],
    [reply('a')]
  )
  const retrying = trace([request(), tryOf('a', { at: 1, status: 500 })], [reply('a', { mark: 'failed' })])
  const failed = trace([request()], [reply('a', { delivery: { error: 'x' } })])
  const perhaps = trace([request()], [reply('a', { delivery: { error: 'x' }, mark: 'unknown' })])
  const waiting = trace([request()], [reply('a', { delivery: {}, mark: 'waiting' })])
  const three = trace(
    [request(), ...['a', 'b', 'c'].map((id) => tryOf(id, { at: 0, durationMs: 50 }))],
    ['a', 'b', 'c'].map((id) => reply(id))
  )
  const refused = trace([request({ status: 400 })])
  const test = trace([tryOf('test', {})])
  const read = trace([request({ method: 'GET', url: '/webhook/messages?conversationId=tea' })])
  const late = trace(
    [request(), tryOf('b', { status: 500 }), tryOf('b', { at: 60_000, isRedelivery: true })],
    [reply('b', { delivery: { error: 'x' }, mark: 'late' })]
  )
  const all = [...[10, 20, 30, 40].map(trip), retried, retrying, failed, perhaps, waiting, three]
  const others = [refused, test, read, late]
  expect(numbersOf([...all, ...others].map(summaryOf))).toEqual({
    sent: 11,
    delivered: 9,
    retrying: 1,
    undelivered: 2,
    waiting: 1,
    refused: 1,
    // Neither what was tried again nor what was redelivered is a round trip.
    p50: 30,
    p95: 50,
  })
  expect(numbersOf([])).toMatchObject({ sent: 0, delivered: 0, p50: undefined, p95: undefined })
})
