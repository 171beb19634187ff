import { expect, it } from 'vitest'
import { reply, request, trace, tryOf } from './trace-for-test'
import { numbersOf } from './numbers.js'
import { summaryOf } from './trace.js'

it('the numbers tell messages, round trips, and what became of them', () => {
  const trip = (durationMs: number) => trace([request(), tryOf('a', { at: 0, durationMs })], [reply('a')])
  const retried = trace(
    [request(), tryOf('a', { at: 1, status: 500 }), tryOf('a', { at: 900, durationMs: 100 })],
    [reply('a')]
  )
  const failed = trace([request()], [reply('a', { delivery: { error: 'x' } })])
  const perhaps = trace([request()], [reply('a', { delivery: { error: 'x' }, mark: 'unknown' })])
  const refused = trace([request({ status: 400 })])
  const test = trace([tryOf('test', {})])
  const read = trace([request({ method: 'GET', url: '/webhook/messages?conversationId=tea' })])
  const again = trace([tryOf('b', {}), tryOf('b', { at: 9, isRedelivery: true })], [reply('b', { delivery: {} })])
  const all = [...[10, 20, 30, 40].map(trip), retried, failed, perhaps, refused, test, read, again].map(summaryOf)
  expect(numbersOf(all)).toEqual({ messages: 9, p50: 30, p95: 1000, delivered: 6, retried: 1, failed: 3 })
  expect(numbersOf([])).toEqual({ messages: 0, p50: undefined, p95: undefined, delivered: 0, retried: 0, failed: 0 })
})
