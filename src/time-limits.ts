// All in milliseconds. The cloud ends a call of the integration after 60 s.
const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** A whole call, with all that it tells Botpress. */
export const CALL_MS = 45 * SECOND

// A message to the endpoint

/** To look a name up, connect, and agree on TLS. */
export const CONNECT_MS = 10 * SECOND
/** For each address of a host but the last. Node's own 250 ms are too short for other continents. */
export const CONNECT_TO_ADDRESS_MS = 2.5 * SECOND
/** From the end of a request until the head of its answer. */
export const ANSWER_MS = 30 * SECOND
/** A 5xx that comes later is a gateway's, while the endpoint may still work. */
export const LATE_ANSWER_MS = 10 * SECOND
/** How long the body of a refusal is read, from its head on. */
export const REFUSAL_BODY_MS = 1 * SECOND
/** All tries of a message. The rest of the call is for telling Botpress how they ended. */
export const DELIVERY_MS = CALL_MS - 5 * SECOND
/** A further try, or a redirect, begins only with this share of its time left: if it is cut off, it may have arrived. */
export const MIN_SHARE = 0.25
/** The pause after the first try. Each further one is twice as long. */
export const FIRST_PAUSE_MS = 1 * SECOND
/** The longest Retry-After of an endpoint that is obeyed. */
export const MAX_RETRY_AFTER_MS = 10 * SECOND
/** The test message. */
export const TEST_MS = 20 * SECOND
/** How long an endpoint counts as down after a failure. */
export const DOWN_MS = 1 * MINUTE
/** The only try of a message while the endpoint counts as down. */
export const TRY_WHILE_DOWN_MS = 10 * SECOND

// Redelivery

/** One try, connecting included. */
export const REDELIVERY_TRY_MS = ANSWER_MS
/** A try begins only with this much time left in the call: 3 s are for telling Botpress how it ended. */
export const MIN_REDELIVERY_MS = REDELIVERY_TRY_MS + 3 * SECOND
/** Between two looks for failed messages, as other instances may have left some. */
export const LOOK_INTERVAL_MS = 5 * MINUTE
/** The same, if this instance has seen a failure since its last look. */
export const LOOK_INTERVAL_AFTER_FAILURE_MS = 30 * SECOND
/** Older messages are not redelivered unasked: people want no answers so late, and WhatsApp takes none. */
export const MAX_REDELIVERY_AGE_MS = 24 * HOUR
/** After n failed redeliveries, a message waits 2^n times as long. */
export const REDELIVERY_PAUSE_MS = 1 * MINUTE
/** The longest such pause. */
export const MAX_REDELIVERY_PAUSE_MS = 12 * HOUR
/** A lock that ends later was dated by a wrong clock, as a call lasts at most 45 s. */
export const MAX_LOCK_MS = 1 * MINUTE
/** To read one conversation, while the others wait. */
export const READ_CONVERSATION_MS = 3 * SECOND

// Botpress

/** One request. */
export const BOTPRESS_REQUEST_MS = 10 * SECOND
/** A request with its retries. */
export const BOTPRESS_MS = 20 * SECOND
/** The pause after the first try. Each further one is twice as long. */
export const BOTPRESS_FIRST_PAUSE_MS = 0.25 * SECOND
/** The longest Retry-After of Botpress that is obeyed for a mark, which must be written now or never. */
export const MAX_BOTPRESS_RETRY_AFTER_MS = 5 * SECOND
/** A mark that takes longer does not hold up the next try. */
export const MARK_BETWEEN_TRIES_MS = 5 * SECOND
/** A mark after the end of the call, if the instance was frozen in it. */
export const LATE_MARK_MS = 5 * SECOND
/** A question that can do without an answer. */
export const ASIDE_MS = 1 * SECOND
/** How long users and conversations are remembered. */
export const REMEMBERED_MS = 5 * MINUTE

// Waiting for the bot's replies

/** The first pause. Each further one is half as long again. */
export const FIRST_LOOK_MS = 0.15 * SECOND
/** The longest pause. */
export const MAX_LOOK_PAUSE_MS = 1 * SECOND
/** After this long without a reply, the bot has said what it had to say. */
export const QUIET_MS = 1 * SECOND

/** A connection that was idle for longer is not used again: Node's own servers forget it after 5 s. */
export const MAX_IDLE_MS = 4 * SECOND
