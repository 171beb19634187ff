import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { exchange, reply, request, trace, tryOf } from './trace-for-test'
import { statusOfMessage, storyOf, summaryOf } from './trace.js'

const failed = { status: 500 }
const open = { status: undefined, durationMs: undefined }

describe('the line of a trace', () => {
  it('says what it was, where, and how it went', () => {
    const tries = [tryOf('a', { at: 110, ...failed }), tryOf('a', { at: 1200, ...failed }), tryOf('a', { at: 3000 })]
    expect(summaryOf(trace([request(), ...tries], [reply('a')]))).toMatchObject({
      title: 'Hello',
      conversationId: 'tea',
      userId: 'ada',
      direction: 'to the bot',
      status: 'delivered',
      code: 200,
      requests: 1,
      replies: ['delivered'],
      tries: 3,
      durationMs: 3010,
      // Two tries had failed before.
      roundTripMs: undefined,
    })
  })

  it.each([
    ['open', [request(open)], []],
    ['taken', [request()], []],
    ['refused', [request({ status: 400, responseBody: '{"detail":"why"}' })], []],
    ['refused', [request({ status: undefined, error: 'closed' })], []],
    ['taken', [request({ status: 502 }), request({ at: 5 })], []],
    ['refused', [request(), request({ at: 5, status: 401 })], [reply('a', { delivery: {} })]],
    ['open', [request()], [reply('a')]],
    ['retrying', [request(), tryOf('a', { at: 1, ...failed })], [reply('a')]],
    ['retrying', [request(), tryOf('a', { at: 1, ...failed }), tryOf('a', { at: 2, ...open })], [reply('a')]],
    ['failed', [request(), tryOf('a', { at: 1, ...failed })], [reply('a', { delivery: { error: 'x' } })]],
    ['perhaps', [request()], [reply('a', { delivery: { error: 'x' }, mark: 'unknown' })]],
    ['delivered', [request()], [reply('a', { delivery: { error: 'x' }, mark: 'late' })]],
    ['delivered', [request()], [reply('a', { delivery: {} })]],
    ['failed', [request()], [reply('a', { delivery: {} }), reply('b', { delivery: { error: 'x' } })]],
    ['delivered', [tryOf('test', {})], []],
    ['failed', [tryOf('test', failed)], []],
    ['taken', [exchange({})], []],
  ] as const)('says %s', (status, exchanges, messages) => {
    expect(summaryOf(trace([...exchanges], [...messages])).status).toBe(status)
  })

  it('says why it was refused, or not delivered', () => {
    expect(summaryOf(trace([request({ status: 400, responseBody: '{"detail":"why"}' })])).reason).toBe('why')
    expect(summaryOf(trace([request()], [reply('a', { delivery: { error: 'down' } })])).reason).toBe('down')
  })

  it('says why only as long as it is so', () => {
    const delivery = { error: 'down' }
    expect(summaryOf(trace([request()], [reply('a', { delivery, mark: 'late' })])).reason).toBeUndefined()
  })

  it('says that what was under way when the sandbox ended is cut off', () => {
    for (const exchanges of [[request(open)], [request(), tryOf('a', { at: 1, ...failed })]]) {
      expect(summaryOf({ ...trace(exchanges, [reply('a')]), overAt: 5 })).toMatchObject({
        status: 'cut off',
        durationMs: undefined,
      })
    }
  })

  it('has a direction and no duration where its requests are no longer kept', () => {
    const sent = reply('b', { direction: 'incoming', text: 'Hello' })
    expect(summaryOf(trace([], [sent, reply('a', { delivery: {} })]))).toMatchObject({
      direction: 'to the bot',
      status: 'delivered',
      durationMs: undefined,
    })
  })

  it('stands whatever was sent', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string(), (value, text) => {
        for (const requestBody of [JSON.stringify(value), JSON.stringify({ type: value, text: value }), text]) {
          expect(summaryOf(trace([request({ requestBody, status: 400, responseBody: requestBody })])).title).toEqual(
            expect.any(String)
          )
        }
      })
    )
    expect(summaryOf(trace([request({ requestBody: '{"type":{"toString":1}}' })])).title).toBe('POST /webhook')
  })

  it('says what the bot began with, and what is the registration’s', () => {
    expect(summaryOf(trace([], [reply('a')]))).toMatchObject({ title: 'You said: Hello', direction: 'from the bot' })
    expect(summaryOf(trace([tryOf('test', {})])).direction).toBe('of the integration')
  })

  it('is the same as long as nothing is new, and another then', () => {
    const one = trace([request()])
    const before = summaryOf(one)
    expect(summaryOf(one)).toBe(before)
    one.messages.set('b', reply('b'))
    one.version++
    expect(summaryOf(one).replies).toHaveLength(1)
  })
})

it('the story of a message tells how each try ended, where there are several', () => {
  const tries = [
    tryOf('a', failed),
    tryOf('a', { at: 1, status: undefined, error: 'timed out' }),
    tryOf('a', { at: 2 }),
  ]
  expect(storyOf(trace(tries), reply('a'))).toBe('500, no answer, then 200')
  expect(storyOf(trace([tryOf('a', {})]), reply('a'))).toBe('')
})

it('a message delivered once more is under way again until it has arrived', () => {
  const message = reply('a', { delivery: { error: 'x' }, mark: 'failed' })
  const tries = [tryOf('a', failed), tryOf('a', { at: 9, ...open })]
  expect(statusOfMessage(trace(tries, [message]), message)).toBe('retrying')
  expect(statusOfMessage(trace([tryOf('a', failed), tryOf('a', { at: 9 })], [message]), message)).toBe('delivered')
})
