// All in milliseconds. The cloud ends a call of the integration after 60 s.
const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** How long a call may take, with all that it tells Botpress. */
export const CALL_MS = 45 * SECOND

/** To look a name up, connect, and agree on TLS. */
export const CONNECT_MS = 10 * SECOND
/** For each address of a host but the last. Node's own 250 ms are too short for another continent. */
export const CONNECT_TO_ADDRESS_MS = 2.5 * SECOND
/** From the end of a request to the endpoint until the head of its answer. */
export const ANSWER_MS = 30 * SECOND
/** A 5xx that comes later is a gateway's, for an endpoint that still works. */
export const LATE_ANSWER_MS = 10 * SECOND
/** After its head, the answer of an endpoint that did not take the message is read for so long. */
export const REFUSAL_BODY_MS = 1 * SECOND

/** For all tries of a message: 5 s are left to tell Botpress how they ended. */
export const DELIVERY_MS = CALL_MS - 5 * SECOND
/** The pause after the first try; each further one is twice as long. */
export const FIRST_PAUSE_MS = 1 * SECOND
/** The longest Retry-After of an endpoint that is obeyed. */
export const MAX_RETRY_AFTER_MS = 10 * SECOND
/** For the test message. */
export const TEST_MS = 20 * SECOND
/** For a message while the endpoint is known to be down, */
export const TRY_WHILE_DOWN_MS = 10 * SECOND
/** which it is for so long after a failure. */
export const DOWN_MS = 1 * MINUTE

/** For one try of a redelivery, connecting included. */
export const REDELIVERY_TRY_MS = ANSWER_MS
/** A call with less time left begins no try: 3 s are for what Botpress is told after it. */
export const MIN_REDELIVERY_MS = REDELIVERY_TRY_MS + 3 * SECOND
/** How often an instance looks for failed messages, as others may have left them; */
export const LOOK_INTERVAL_MS = 5 * MINUTE
/** if it has seen a failure since its last look. */
export const LOOK_INTERVAL_AFTER_FAILURE_MS = 30 * SECOND
/** What is older is not delivered by itself: people want no later answers, and WhatsApp takes none. */
export const MAX_REDELIVERY_AGE_MS = 24 * HOUR
/** After n failed redeliveries, a message waits 2^n times as long, */
export const REDELIVERY_PAUSE_MS = 1 * MINUTE
/** at most so long. */
export const MAX_REDELIVERY_PAUSE_MS = 12 * HOUR
/** A lock that is dated further ahead comes from a wrong clock: a call lasts 45 s. */
export const MAX_LOCK_MS = 1 * MINUTE

/** For one request to Botpress, */
export const BOTPRESS_REQUEST_MS = 10 * SECOND
/** and with its repeats. */
export const BOTPRESS_MS = 20 * SECOND
/** The first pause between them; each further one is twice as long. */
export const BOTPRESS_FIRST_PAUSE_MS = 0.25 * SECOND
/** The longest Retry-After of Botpress that is obeyed, for what is lost if it is not written now. */
export const MAX_BOTPRESS_RETRY_AFTER_MS = 5 * SECOND
/** A mark that takes longer holds up no further try. */
export const MARK_BETWEEN_TRIES_MS = 5 * SECOND
/** For a mark after the end of the call, when an instance was frozen in it. */
export const LATE_MARK_MS = 5 * SECOND
/** To read one conversation in a redelivery, while the others wait. */
export const READ_CONVERSATION_MS = 3 * SECOND
/** For a question whose answer is not worth waiting for. */
export const ASIDE_MS = 1 * SECOND
/** How long users and conversations are remembered. */
export const REMEMBERED_MS = 5 * MINUTE

/** The first pause before a look for the bot's replies; each further one is half as long again, */
export const FIRST_LOOK_MS = 0.15 * SECOND
/** at most so long. */
export const MAX_LOOK_PAUSE_MS = 1 * SECOND
/** So long after its last reply, the bot has said what it had to say. */
export const QUIET_MS = 1 * SECOND

/** A connection that was idle for longer is not used again: Node's own servers forget it after 5 s. */
export const MAX_IDLE_MS = 4 * SECOND
