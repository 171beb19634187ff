// All in milliseconds. The cloud ends a call of the integration after 60 s.
const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

export const CALL_MS = 45 * SECOND // a whole call, with all that it tells Botpress

// A message to the endpoint
export const CONNECT_MS = 10 * SECOND // to look a name up, connect, and agree on TLS
export const CONNECT_TO_ADDRESS_MS = 2.5 * SECOND // to each address but the last; Node's 250 ms are too short
export const ANSWER_MS = 30 * SECOND // from the end of a request until the head of its answer
export const LATE_ANSWER_MS = 10 * SECOND // a 5xx that comes later is a gateway's, while the endpoint may still work
export const REFUSAL_BODY_MS = 1 * SECOND // to read the body of a refusal
export const DELIVERY_MS = CALL_MS - 5 * SECOND // all tries: the rest is for telling Botpress how they ended
export const FIRST_PAUSE_MS = 1 * SECOND // between two tries; each further one is twice as long
export const MAX_RETRY_AFTER_MS = 10 * SECOND // the longest that is obeyed
export const MIN_SHARE = 0.25 // of all time that must be left for a further try or a redirect: what is cut off may have arrived
export const TEST_MS = 20 * SECOND // the test message
export const DOWN_MS = 1 * MINUTE // how long an endpoint counts as down after a failure
export const TRY_WHILE_DOWN_MS = 10 * SECOND // the only try of a message meanwhile

// Redelivery
export const REDELIVERY_TRY_MS = ANSWER_MS // one try, connecting included
export const MIN_REDELIVERY_MS = REDELIVERY_TRY_MS + 3 * SECOND // what a call must have left for one
export const LOOK_INTERVAL_MS = 5 * MINUTE // between looks for failed messages: other instances may have left some
export const LOOK_INTERVAL_AFTER_FAILURE_MS = 30 * SECOND // the same, if this instance has seen a failure since
export const MAX_REDELIVERY_AGE_MS = 24 * HOUR // people want no later answers, and WhatsApp takes none
export const REDELIVERY_PAUSE_MS = 1 * MINUTE // a message waits 2^n times as long after n failed redeliveries
export const MAX_REDELIVERY_PAUSE_MS = 12 * HOUR // the longest such pause
export const MAX_LOCK_MS = 1 * MINUTE // a lock that ends later was dated by a wrong clock: a call lasts 45 s
export const READ_CONVERSATION_MS = 3 * SECOND // to read one, as the others wait

// Botpress
export const BOTPRESS_REQUEST_MS = 10 * SECOND // one request
export const BOTPRESS_MS = 20 * SECOND // a request with its retries
export const BOTPRESS_FIRST_PAUSE_MS = 0.25 * SECOND // between two of them; each further one is twice as long
export const MAX_BOTPRESS_RETRY_AFTER_MS = 5 * SECOND // the longest that is obeyed for a mark
export const MARK_BETWEEN_TRIES_MS = 5 * SECOND // a mark that takes longer does not hold up the next try
export const LATE_MARK_MS = 10 * SECOND // a mark after the end of the call, if the instance was frozen in it
export const ASIDE_MS = 1 * SECOND // a question that can do without an answer
export const REMEMBERED_MS = 5 * MINUTE // users and conversations

// Waiting for the bot's replies
export const FIRST_LOOK_MS = 0.15 * SECOND // the first pause; each further one is half as long again
export const MAX_LOOK_PAUSE_MS = 1 * SECOND // the longest pause
export const MAX_PULL_PAUSE_MS = 3 * SECOND // the longest, for a backend that always waits
export const QUIET_MS = 1 * SECOND // after that long without a reply, the bot has said what it had to say

export const MAX_IDLE_MS = 4 * SECOND // of a kept connection: Node's own servers forget it after 5 s
