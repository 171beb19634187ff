import { createdAt, exchangesOf, isEnded, isOk, messagesOf, textOf } from './trace.js'

/** @import { SeenExchange, SeenMessage } from '../../wire' */
/** @import { Trace } from './store' */

/**
 * A row of a waterfall. `exchanges` are those that it stands for: several, where looks are folded into one row. `pauseMs` is
 * the time since the try before.
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
 * }} Row
 */

/** @param {SeenExchange} exchange */
const outcomeOf = ({ status, error }) => (status === undefined ? (error ?? '…') : String(status))

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

/** The rows of a trace, in order of their beginning. @param {Trace} trace @returns {Row[]} */
export const rowsOf = (trace) => {
  /** @type {Row[]} */
  const rows = []
  /** @type {Map<unknown, SeenExchange[]>} */
  const tries = new Map()
  for (const exchange of exchangesOf(trace)) {
    const { from, to, method, url, requestHeaders, call, isRedelivery } = exchange
    if (from === 'backend') rows.push(rowOf(exchange, { kind: 'request', label: `${method} ${url}` }))
    else if (to === 'endpoint') {
      const key = `${requestHeaders['webhook-id']} ${isRedelivery === true}`
      const before = tries.get(key) ?? []
      const previous = before.at(-1)
      const pauseMs = previous && exchange.at - previous.at - (previous.durationMs ?? 0)
      rows.push(
        rowOf(exchange, {
          kind: 'try',
          label: `${isRedelivery ? 'redelivery, ' : ''}try ${before.length + 1}`,
          pauseMs,
        })
      )
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
    } else rows.push(rowOf(exchange, { kind: 'call', label: callLabel(exchange) }))
  }
  for (const message of messagesOf(trace)) {
    const { id, direction, type } = message
    if (direction === 'incoming') continue
    const at = createdAt(message)
    rows.push({
      key: id,
      kind: 'message',
      label: textOf(message),
      startedAt: at,
      endedAt: at,
      outcome: type,
      exchanges: [],
      message,
    })
  }
  return rows.toSorted((a, b) => a.startedAt - b.startedAt)
}

/** Longer than this, nothing happens between two rows: it is left out, and said. */
const LONGEST_GAP_MS = 60_000

/**
 * Where moments lie on the axis of a waterfall, from 0 to 1.
 *
 * @param {Row[]} rows
 * @param {number} now for what has not ended
 * @returns {{ place: (at: number) => number, breaks: { at: number, ms: number }[], durationMs: number }}
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
  return { place, breaks: gaps.map(({ from, ms }) => ({ at: place(from), ms })), durationMs: end - begin }
}
