import { createdAt, exchangesOf, isEnded, isOk, messagesOf, statusOfMessage, textOf, triesOf } from './trace.js'

/** @import { SeenExchange, SeenMessage } from '../../wire' */
/** @import { Trace } from './store' */
/** @import { Status } from './trace' */

/**
 * A row of a waterfall. `exchanges` are those that it stands for: several, where looks are folded into one row. `pauseMs` is
 * the time since the try before. `reply` is the message of the bot that it belongs to, if it belongs to one; the row of the
 * message itself has its `place` among the replies, and its tries.
 *
 * @typedef {{
 *   key: string
 *   label: string
 *   kind: 'request' | 'call' | 'looks' | 'message' | 'try'
 *   startedAt: number
 *   endedAt?: number
 *   isOk?: boolean
 *   outcome: string
 *   pauseMs?: number
 *   exchanges: SeenExchange[]
 *   message?: SeenMessage
 *   reply?: string
 *   status?: Status
 *   place?: { number: number, of: number, tries: number }
 * }} Row
 */

/** @param {SeenExchange} exchange */
const outcomeOf = ({ status, error }) => String(status ?? (error === undefined ? '…' : 'no answer'))

/** Whether it is one of the looks for what is new, of which a waiting request makes many. @param {SeenExchange} exchange */
const isLook = ({ to, method, url }) => to === 'Botpress' && method === 'GET' && /\/chat\/messages(\?|$)/.test(url)

/** A call to Botpress without what all have in common. @param {SeenExchange} exchange */
const callLabel = ({ method, url }) =>
  `${method} ${(url.split('?')[0] ?? '').replace(/^\/v1\/chat/, '').replaceAll(/\/(msg|conv|user|evt)_\w+/g, '/…')}`

/** @param {SeenExchange} exchange @param {Omit<Row, 'key' | 'startedAt' | 'endedAt' | 'isOk' | 'outcome' | 'exchanges'>} row @returns {Row} */
const rowOf = (exchange, row) => ({
  key: exchange.id,
  startedAt: exchange.at,
  endedAt: exchange.durationMs === undefined ? undefined : exchange.at + exchange.durationMs,
  isOk: isEnded(exchange) ? isOk(exchange) : undefined,
  outcome: outcomeOf(exchange),
  exchanges: [exchange],
  ...row,
})

/** The message of the bot that a call to Botpress is about. @param {SeenExchange} exchange */
const messageIn = ({ url }) => url.match(/\/chat\/messages\/(msg_\w+)/)?.[1]

/**
 * The rows of a trace: what belongs to no reply, in order of time, then each reply with its tries.
 *
 * @param {Trace} trace
 * @returns {Row[]}
 */
export const rowsOf = (trace) => {
  const groups = new Map(repliesOf(trace).map((row) => [row.reply, [row]]))
  /** @type {Row[]} */
  const others = []
  for (const row of exchangeRowsOf(trace).toSorted((a, b) => a.startedAt - b.startedAt))
    (groups.get(row.reply) ?? others).push(row)
  return [...others, ...[...groups.values()].flat()]
}

/** The messages of the bot, each as long as it was tried. @param {Trace} trace @returns {Row[]} */
const repliesOf = (trace) =>
  messagesOf(trace)
    .filter(({ direction }) => direction === 'outgoing')
    .map((message, index, all) => {
      const tries = triesOf(trace, message)
      const startedAt = createdAt(message)
      const ends = tries.map(({ at, durationMs }) => (durationMs === undefined ? undefined : at + durationMs))
      return {
        key: message.id,
        kind: 'message',
        label: textOf(message),
        startedAt,
        endedAt: ends.includes(undefined) ? undefined : Math.max(startedAt, .../** @type {number[]} */ (ends)),
        outcome: '',
        exchanges: [],
        message,
        reply: message.id.slice(message.id.indexOf('~') + 1),
        status: statusOfMessage(trace, message),
        place: {
          number: index + 1,
          of: all.length,
          tries: tries.filter(({ isRedelivery }) => !isRedelivery).length,
        },
      }
    })

/** @param {Trace} trace @returns {Row[]} */
const exchangeRowsOf = (trace) => {
  /** @type {Row[]} */
  const rows = []
  /** @type {Map<unknown, SeenExchange[]>} */
  const tries = new Map()
  for (const exchange of exchangesOf(trace)) {
    const { from, to, method, url, requestHeaders, call, isRedelivery } = exchange
    if (from === 'backend') rows.push(rowOf(exchange, { kind: 'request', label: `${method} ${url}` }))
    else if (to === 'endpoint') {
      const reply = String(requestHeaders['webhook-id'])
      const key = `${reply} ${isRedelivery === true}`
      const before = tries.get(key) ?? []
      const previous = before.at(-1)
      const pauseMs = previous && exchange.at - previous.at - (previous.durationMs ?? 0)
      const label = `${isRedelivery ? 'redelivery, ' : ''}try ${before.length + 1}`
      rows.push(rowOf(exchange, { kind: 'try', label, pauseMs, reply }))
      tries.set(key, [...before, exchange])
    } else if (isLook(exchange)) {
      const last = rows.findLast(({ kind, exchanges }) => kind === 'looks' && exchanges[0]?.call === call)
      if (last) {
        last.exchanges.push(exchange)
        last.endedAt = exchange.at + (exchange.durationMs ?? 0)
        last.isOk &&= isOk(exchange)
        last.label = `${last.exchanges.length} looks for messages`
        last.outcome = outcomeOf(exchange)
      } else rows.push(rowOf(exchange, { kind: 'looks', label: '1 look for messages' }))
    } else rows.push(rowOf(exchange, { kind: 'call', label: callLabel(exchange), reply: messageIn(exchange) }))
  }
  return rows
}

/** Longer than this, nothing happens between two rows: it is left out, and said. */
const LONGEST_GAP_MS = 60_000

/**
 * Where moments lie on the axis of a waterfall, from 0 to 1.
 *
 * @param {Row[]} rows
 * @param {number} now for what has not ended
 * @returns {{ place: (at: number) => number, breaks: { at: number, ms: number }[], ticks: { at: number, ms: number }[], durationMs: number }}
 *   `ticks` are moments to write beside the axis, in milliseconds since its beginning
 */
export const scaleOf = (rows, now) => {
  const spans = rows.map(({ startedAt, endedAt = now }) => ({ from: startedAt, to: Math.max(endedAt, startedAt) }))
  const begin = Math.min(...spans.map(({ from }) => from))
  let end = begin
  /** @type {{ at: number, ms: number, from: number }[]} */
  const gaps = []
  for (const { from, to } of spans.toSorted((a, b) => a.from - b.from)) {
    if (from - end > LONGEST_GAP_MS) gaps.push({ at: 0, ms: from - end, from: end })
    end = Math.max(end, to)
  }
  const left = (/** @type {number} */ at) =>
    gaps.reduce((sum, { from, ms }) => (at > from ? sum + Math.min(ms, at - from) : sum), 0)
  const busy = Math.max(end - begin - left(end), 1)
  const gapWidth = gaps.length > 0 ? 0.06 : 0
  const total = busy * (1 + gapWidth * gaps.length)
  const place = (/** @type {number} */ at) => {
    const passed = gaps.filter(({ from, ms }) => at >= from + ms).length
    return Math.min((at - begin - left(at) + passed * gapWidth * busy) / total, 1)
  }
  const durationMs = end - begin
  const breaks = gaps.map(({ from, ms }) => ({ at: place(from), ms }))
  return { place, breaks, ticks: ticksOf(durationMs, (ms) => place(begin + ms)), durationMs }
}

/** Between two ticks, their words need so much of the axis. */
const TICK_SHARE = 0.38

/** So near to each other that one of them, times a power of ten, is near the middle of every axis. */
const ROUND = [1, 1.5, 2, 3, 4, 6, 8]

/** @param {number} durationMs @param {(ms: number) => number} place */
const ticksOf = (durationMs, place) => {
  const magnitude = 10 ** Math.floor(Math.log10(Math.max(durationMs * TICK_SHARE, 1)))
  const stepMs = magnitude * (ROUND.find((factor) => factor * magnitude >= durationMs * TICK_SHARE) ?? 10)
  const ticks = [{ at: 0, ms: 0 }]
  for (let ms = stepMs; ms <= durationMs; ms += stepMs) {
    const at = place(ms)
    if (at - /** @type {{ at: number }} */ (ticks.at(-1)).at >= TICK_SHARE && at <= 1 - TICK_SHARE)
      ticks.push({ at, ms })
  }
  return ticks
}
