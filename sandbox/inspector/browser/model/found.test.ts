import { expect, it } from 'vitest'
import { reply, request, trace } from './trace-for-test'
import { matches } from './found.js'
import { summaryOf } from './trace.js'

const every = { q: '', status: '', direction: '', conversation: '' }

const delivered = summaryOf(
  trace(
    [request({ at: 1000 })],
    [
      reply('a', {
        payload: { text: 'You said: Hello', title: 'Espresso' },
        delivery: {},
        createdAt: new Date(1100).toISOString(),
      }),
    ]
  )
)
const refused = summaryOf(trace([request({ at: 1000, status: 400 })]))

it.each([
  [{}, true, true],
  [{ q: 'hello' }, true, true],
  [{ q: 'HELLO said' }, true, false],
  [{ q: 'absent' }, false, false],
  [{ q: 'run~a' }, true, false],
  [{ q: 'espresso' }, true, false],
  [{ status: 'delivered' }, true, false],
  [{ status: 'refused' }, false, true],
  [{ status: 'undelivered' }, false, false],
  [{ direction: 'to the bot' }, true, true],
  [{ direction: 'from the bot' }, false, false],
  [{ conversation: 'tea' }, true, true],
  [{ conversation: 'lunch' }, false, false],
])('%j finds what is delivered: %s, and what is refused: %s', (filters, first, second) => {
  expect([matches(delivered, { ...every, ...filters }), matches(refused, { ...every, ...filters })]).toEqual([
    first,
    second,
  ])
})
