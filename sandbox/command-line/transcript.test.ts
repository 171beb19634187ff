import pc from 'picocolors'
import { expect, it } from 'vitest'
import type { Exchange } from '../cloud/exchange'
import { Transcript } from './transcript'

const at = new Date(2026, 0, 1, 9, 5, 7).getTime()

const exchange = (more: Partial<Exchange>): Exchange => ({
  id: 'one',
  at,
  from: 'backend',
  to: 'webhook',
  method: 'POST',
  url: '/webhook',
  requestHeaders: {},
  requestBody: '{"conversationId":"tea","type":"text","text":"Hello\\nthere"}',
  status: 200,
  durationMs: 23.4,
  ...more,
})

const lineOf = (more: Partial<Exchange>) => new Transcript(pc.createColors(false)).lineOf(exchange(more))

it.each([
  [{}, '09:05:07  tea               backend → bot    200     23 ms  Hello there'],
  [
    { requestBody: '', status: 401, responseBody: '{"detail":"There is no credential."}' },
    '09:05:07                    backend → bot    401     23 ms  ()  There is no credential.',
  ],
  [
    {
      from: 'integration',
      to: 'endpoint',
      requestBody: '{"conversationId":"tea","type":"card","payload":{}}',
      status: 503,
    },
    '09:05:07  tea               bot → endpoint   503     23 ms  (card)',
  ],
  [
    { from: 'integration', to: 'endpoint', status: undefined, error: 'socket hang up' },
    '09:05:07  tea               bot → endpoint  none     23 ms  Hello there  socket hang up',
  ],
  [
    { requestBody: 'conversationId=tea&text=From+a+form' },
    '09:05:07  tea               backend → bot    200     23 ms  From a form',
  ],
  [
    { requestBody: `{"text":"${'x'.repeat(101)}"}` },
    `09:05:07                    backend → bot    200     23 ms  ${'x'.repeat(100)}…`,
  ],
  [{ to: 'Botpress' }, undefined],
  [{ durationMs: undefined }, undefined],
] as [Partial<Exchange>, string | undefined][])('%j', (more, line) => {
  expect(lineOf(more)).toBe(line)
})

it('tells an exchange once', () => {
  const transcript = new Transcript(pc.createColors(false))
  expect(transcript.lineOf(exchange({}))).toBeDefined()
  expect(transcript.lineOf(exchange({ responseBody: '{}' }))).toBeUndefined()
  expect(transcript.lineOf(exchange({ id: 'two' }))).toBeDefined()
})
