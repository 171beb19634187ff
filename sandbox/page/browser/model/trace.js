/** @import { SeenExchange, SeenMessage } from '../../wire' */
/** @import { Trace } from './store' */

/**
 * What became of a trace, or of a message of the bot. `open`: it is under way. `taken`: the webhook took it, and the bot has
 * not answered. `perhaps`: it may have arrived. `refused`: the webhook did not take it.
 *
 * @typedef {'open' | 'taken' | 'delivered' | 'retrying' | 'perhaps' | 'failed' | 'refused'} Status
 */

/**
 * A trace in a line.
 *
 * @typedef {{
 *   id: string
 *   title: string
 *   conversationId?: string
 *   userId?: string
 *   direction: 'to the bot' | 'from the bot' | 'of the integration'
 *   status: Status
 *   code?: number
 *   requests: number
 *   replies: number
 *   tries: number
 *   startedAt: number
 *   durationMs?: number
 *   roundTripMs?: number
 *   reason?: string
 *   words: string
 * }} Summary
 */

/** @param {string | undefined} text @returns {any} */
export const parsed = (text) => {
  try {
    return JSON.parse(text ?? '')
  } catch {
    return undefined
  }
}

/**
 * Makes something of a trace once, and anew when something is new in it.
 *
 * @template T
 * @param {(trace: Trace) => T} make
 * @returns {(trace: Trace) => T}
 */
const perVersion = (make) => {
  /** @type {WeakMap<Trace, { version: number, made: T }>} */
  const kept = new WeakMap()
  return (trace) => {
    const known = kept.get(trace)
    if (known?.version === trace.version) return known.made
    const made = make(trace)
    kept.set(trace, { version: trace.version, made })
    return made
  }
}

export const exchangesOf = perVersion((trace) => [...trace.exchanges.values()].toSorted((a, b) => a.at - b.at))

const deliveriesOf = perVersion((trace) => {
  /** @type {Map<unknown, SeenExchange[]>} */
  const tries = new Map()
  for (const exchange of exchangesOf(trace)) {
    if (exchange.to !== 'endpoint') continue
    const id = exchange.requestHeaders['webhook-id']
    const before = tries.get(id)
    if (before) before.push(exchange)
    else tries.set(id, [exchange])
  }
  return tries
})

/** @param {SeenMessage} message */
export const createdAt = ({ createdAt: at }) => Date.parse(at)

export const messagesOf = perVersion((trace) =>
  [...trace.messages.values()].toSorted((a, b) => createdAt(a) - createdAt(b))
)

/** The tries to deliver a message, in order. @param {Trace} trace @param {SeenMessage} message */
export const triesOf = (trace, { id }) => deliveriesOf(trace).get(id.slice(id.indexOf('~') + 1)) ?? []

/** @param {SeenExchange} exchange */
export const isOk = ({ status }) => status !== undefined && status >= 200 && status < 300

/** @param {SeenExchange} exchange */
export const isEnded = ({ durationMs }) => durationMs !== undefined

/** @param {Trace} trace @param {SeenMessage} message @returns {Status} */
export const statusOfMessage = (trace, message) => {
  const { direction, mark, delivery } = message
  if (direction === 'incoming') return 'taken'
  const tries = triesOf(trace, message)
  const last = tries.at(-1)
  if (last && !isEnded(last)) return tries.length > 1 ? 'retrying' : 'open'
  if (mark === 'late' || (last && isOk(last))) return 'delivered'
  if (mark === 'unknown') return 'perhaps'
  if (delivery) return delivery.error === undefined ? 'delivered' : 'failed'
  return tries.length > 0 ? 'retrying' : 'open'
}

/** The worst of them stands for all. @type {Status[]} */
const BY_WEIGHT = ['failed', 'perhaps', 'retrying', 'open', 'delivered']

/** @param {Trace} trace @param {SeenMessage[]} replies @param {SeenExchange[]} requests @returns {Status} */
const statusOf = (trace, replies, requests) => {
  const last = requests.at(-1)
  if (replies.length > 0) {
    const statuses = new Set(replies.map((reply) => statusOfMessage(trace, reply)))
    return BY_WEIGHT.find((status) => statuses.has(status)) ?? 'open'
  }
  if (last) return !isEnded(last) ? 'open' : isOk(last) ? 'taken' : 'refused'
  const exchanges = exchangesOf(trace)
  if (exchanges.some((exchange) => !isEnded(exchange))) return 'open'
  const delivery = exchanges.findLast(({ to }) => to === 'endpoint')
  if (delivery) return isOk(delivery) ? 'delivered' : 'failed'
  return 'taken'
}

/** @param {SeenMessage} message */
export const textOf = ({ type, text }) => (type === 'text' && text) || type

const TITLE_LENGTH = 120

/** @param {Trace} trace @returns {Summary} */
const summarise = (trace) => {
  const exchanges = exchangesOf(trace)
  const messages = messagesOf(trace)
  const requests = exchanges.filter(({ from }) => from === 'backend')
  const tries = exchanges.filter(({ to }) => to === 'endpoint')
  const replies = messages.filter(({ direction }) => direction === 'outgoing')
  const sent = messages.find(({ direction }) => direction === 'incoming')
  const [first] = requests
  const body = parsed(first?.requestBody)
  const isTest = tries.some(({ requestHeaders }) => requestHeaders['webhook-id'] === 'test')
  const startedAt = Math.min(...exchanges.map(({ at }) => at), ...messages.map(createdAt))
  const ends = exchanges.map(({ at, durationMs }) => durationMs !== undefined && at + durationMs)
  const title =
    (sent && textOf(sent)) ??
    (typeof body?.text === 'string' && body.text ? body.text : undefined) ??
    (first && (body?.type ? String(body.type) : `${first.method} ${first.url}`)) ??
    (replies[0] && textOf(replies[0])) ??
    (isTest ? 'The test message of the registration' : (exchanges[0]?.url ?? ''))
  const delivered = replies
    .flatMap((reply) => triesOf(trace, reply))
    .filter(isOk)
    .map(({ at, durationMs = 0 }) => at + durationMs)
  const status = statusOf(trace, replies, requests)
  const last = requests.at(-1)
  const conversationId =
    messages[0]?.conversationId ?? (typeof body?.conversationId === 'string' ? body.conversationId : undefined)
  const refusal = status === 'refused' ? (parsed(last?.responseBody)?.detail ?? last?.error) : undefined
  return {
    id: trace.id,
    title: title.slice(0, TITLE_LENGTH),
    conversationId,
    userId: typeof body?.userId === 'string' ? body.userId : undefined,
    direction: first ? 'to the bot' : replies.length > 0 ? 'from the bot' : 'of the integration',
    status,
    code: last?.status,
    requests: requests.length,
    replies: replies.length,
    tries: tries.length,
    startedAt,
    durationMs: status === 'open' || status === 'retrying' ? undefined : Math.max(...ends.map(Number)) - startedAt,
    roundTripMs: first && delivered.length > 0 ? Math.min(...delivered) - first.at : undefined,
    reason: replies.find(({ delivery }) => delivery?.error)?.delivery?.error ?? refusal,
    words: [title, conversationId, ...messages.map(textOf), ...requests.map(({ requestBody }) => requestBody), trace.id]
      .join('\n')
      .toLowerCase(),
  }
}

/** The trace in a line; the same object as long as nothing is new in it. */
export const summaryOf = perVersion(summarise)

/** @type {Record<Status, string>} */
export const STATUS_WORDS = {
  open: 'under way',
  taken: 'taken',
  delivered: 'delivered',
  retrying: 'retrying',
  perhaps: 'perhaps delivered',
  failed: 'not delivered',
  refused: 'refused',
}

/** @param {number} ms */
export const duration = (ms) =>
  ms < 1000
    ? `${Math.round(ms)} ms`
    : ms < 60_000
      ? `${(ms / 1000).toFixed(1)} s`
      : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`

/** @param {number} at @param {boolean} [isPrecise] */
export const clockTime = (at, isPrecise = false) => {
  const date = new Date(at)
  const time = date.toTimeString().slice(0, 8)
  return isPrecise ? `${time}.${String(date.getMilliseconds()).padStart(3, '0')}` : time
}

/** @param {number} count @param {string} one @param {string} [many] */
export const counted = (count, one, many = `${one}s`) => `${count.toLocaleString('en')} ${count === 1 ? one : many}`
