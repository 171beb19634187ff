import { parsedExactly } from './exact-json.js'

/** @import { SeenExchange, SeenMessage } from '../../wire' */
/** @import { Trace } from './store' */

/**
 * What became of a trace, or of a message of the bot. `open`: it is under way. `taken`: the webhook took it, and the bot has
 * not answered. `waiting`: the backend may fetch it. `perhaps`: it may have arrived. `refused`: the webhook did not take it. `cut off`: the sandbox ended before
 * it did.
 *
 * @typedef {'open' | 'taken' | 'waiting' | 'delivered' | 'retrying' | 'perhaps' | 'failed' | 'refused' | 'cut off'} Status
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
 *   isMessage: boolean
 *   status: Status
 *   code?: number
 *   requests: number
 *   replies: Status[]
 *   tries: number
 *   isRetried: boolean
 *   isRedelivered: boolean
 *   startedAt: number
 *   lastAt: number
 *   durationMs?: number
 *   roundTripMs?: number
 *   reason?: string
 *   words: string
 * }} Summary
 */

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
export const statusOfMessage = (trace, message) => atTheEnd(trace, statusInRun(trace, message))

/** What was under way when the sandbox ended comes to no end. @param {Trace} trace @param {Status} status @returns {Status} */
const atTheEnd = ({ overAt }, status) =>
  overAt !== undefined && (status === 'open' || status === 'retrying') ? 'cut off' : status

/** @param {Trace} trace @param {SeenMessage} message @returns {Status} */
const statusInRun = (trace, message) => {
  const { direction, mark, delivery } = message
  if (direction === 'incoming') return 'taken'
  const tries = triesOf(trace, message)
  const last = tries.at(-1)
  if (last && !isEnded(last)) return tries.length > 1 ? 'retrying' : 'open'
  if (mark === 'late' || (last && isOk(last))) return 'delivered'
  if (mark === 'unknown') return 'perhaps'
  if (mark === 'waiting') return 'waiting'
  if (delivery) return delivery.error === undefined ? 'delivered' : 'failed'
  return tries.length > 0 ? 'retrying' : 'open'
}

/** The worst of them stands for all. @type {Status[]} */
const BY_WEIGHT = ['failed', 'perhaps', 'retrying', 'open', 'cut off', 'waiting', 'delivered']

/** @param {Trace} trace @param {SeenMessage[]} replies @param {SeenExchange[]} requests @returns {Status} */
const statusOf = (trace, replies, requests) => {
  const last = requests.at(-1)
  // The bot may have answered an earlier one that was the same message.
  if (last && isEnded(last) && !isOk(last)) return 'refused'
  if (replies.length > 0) {
    const statuses = new Set(replies.map((reply) => statusOfMessage(trace, reply)))
    return BY_WEIGHT.find((status) => statuses.has(status)) ?? 'open'
  }
  if (last) return isEnded(last) ? 'taken' : 'open'
  const exchanges = exchangesOf(trace)
  if (exchanges.some((exchange) => !isEnded(exchange))) return 'open'
  const delivery = exchanges.findLast(({ to }) => to === 'endpoint')
  if (delivery) return isOk(delivery) ? 'delivered' : 'failed'
  return 'taken'
}

/** Whether a message did not arrive, or nobody knows. @param {Status} status */
export const isUndelivered = (status) => status === 'failed' || status === 'perhaps'

/** @param {SeenMessage} message */
export const textOf = ({ type, text }) => (type === 'text' && text) || type

const TITLE_LENGTH = 120

/** @type {Set<Status>} */
const UNENDED = new Set(['open', 'retrying', 'cut off', 'waiting'])

/** @param {Trace} trace @returns {Summary} */
const summarise = (trace) => {
  const exchanges = exchangesOf(trace)
  const messages = messagesOf(trace)
  const requests = exchanges.filter(({ from }) => from === 'backend')
  const tries = exchanges.filter(({ to }) => to === 'endpoint')
  const replies = messages.filter(({ direction }) => direction === 'outgoing')
  const sent = messages.find(({ direction }) => direction === 'incoming')
  const [first] = requests
  const brought = requests.find(({ sent: ids }) => ids)
  const body = parsedExactly(first?.requestBody)
  const isTest = tries.some(({ requestHeaders }) => requestHeaders['webhook-id'] === 'test')
  const startedAt = Math.min(...exchanges.map(({ at }) => at), ...messages.map(createdAt))
  const lastAt = Math.max(...exchanges.map(({ at, durationMs = 0 }) => at + durationMs), ...messages.map(createdAt))
  const event = brought?.sent?.isEvent && typeof body?.type === 'string' ? `event ${body.type}` : undefined
  const title =
    (sent && textOf(sent)) ??
    event ??
    (typeof body?.text === 'string' && body.text ? body.text : undefined) ??
    (typeof body?.type === 'string' && body.type ? body.type : undefined) ??
    (first && `${first.method} ${first.url}`) ??
    (replies[0] && textOf(replies[0])) ??
    (isTest ? 'The test message of the registration' : (exchanges[0]?.url ?? ''))
  // What had to be tried again tells of the outage, and not of a round trip.
  const atOnce = replies
    .flatMap((reply) => triesOf(trace, reply).slice(0, 1))
    .filter((one) => isOk(one) && !one.isRedelivery)
    .map(({ at, durationMs = 0 }) => at + durationMs)
  const status = atTheEnd(trace, statusOf(trace, replies, requests))
  const last = requests.at(-1)
  const conversationId = messages[0]?.conversationId ?? brought?.sent?.conversationId
  const refusal = status === 'refused' ? (parsedExactly(last?.responseBody)?.detail ?? last?.error) : undefined
  const undelivered = replies.find((reply) => isUndelivered(statusOfMessage(trace, reply)))
  return {
    id: trace.id,
    title: title.slice(0, TITLE_LENGTH),
    conversationId,
    userId: brought?.sent?.userId,
    direction: first || sent ? 'to the bot' : replies.length > 0 ? 'from the bot' : 'of the integration',
    isMessage: messages.length > 0 || brought !== undefined,
    status,
    code: last?.status,
    requests: requests.length,
    replies: replies.map((reply) => statusOfMessage(trace, reply)),
    tries: tries.filter(({ isRedelivery }) => !isRedelivery).length,
    isRedelivered: tries.some(({ isRedelivery }) => isRedelivery),
    isRetried: replies.some((reply) => triesOf(trace, reply).filter(({ isRedelivery }) => !isRedelivery).length > 1),
    startedAt,
    lastAt,
    durationMs: UNENDED.has(status) || exchanges.length === 0 ? undefined : lastAt - startedAt,
    roundTripMs: first && atOnce.length > 0 ? Math.min(...atOnce) - first.at : undefined,
    reason: refusal ?? undelivered?.delivery?.error,
    words: [
      title,
      conversationId,
      ...messages.flatMap(({ id, payload, payloadBeginning }) => [id, JSON.stringify(payload), payloadBeginning?.text]),
      ...requests.map(({ requestBody }) => requestBody),
      trace.id,
    ]
      .join('\n')
      .toLowerCase(),
  }
}

/** The trace in a line; the same object as long as nothing is new in it. */
export const summaryOf = perVersion(summarise)

/**
 * How a message was tried, as in "500, no answer, then 204".
 *
 * @param {Trace} trace
 * @param {SeenMessage} message
 * @returns {string} nothing if it was tried once
 */
export const storyOf = (trace, message) => {
  const outcomes = triesOf(trace, message).map(({ status }) => (status === undefined ? 'no answer' : String(status)))
  const last = outcomes.pop()
  return outcomes.length === 0 ? '' : `${outcomes.join(', ')}, then ${last}`
}

/**
 * An event of a backend, as a message that the chat can show.
 *
 * @type {(trace: Trace) => SeenMessage | undefined}
 */
export const eventOf = perVersion((trace) => {
  const request = exchangesOf(trace).find((exchange) => exchange.sent?.isEvent && isOk(exchange))
  if (!request?.sent) return undefined
  const { type, payload = {} } = parsedExactly(request.requestBody) ?? {}
  return {
    id: request.id,
    trace: trace.id,
    createdAt: new Date(request.at).toISOString(),
    type: `event ${type}`,
    direction: 'incoming',
    conversationId: request.sent.conversationId,
    payload,
  }
})
