import { setTimeout as sleep } from 'node:timers/promises'
import { backoffMs } from '../http/backoff'
import type { Endpoint } from '../configuration'
import { wellFormedJson } from '../messages/well-formed-json'
import { answerFailure, EndpointFailure } from './endpoint-failure'
import { type Answer, post, type TryLimits } from './post'
import {
  ANSWER_MS,
  CONNECT_MS,
  DELIVERY_MS,
  FIRST_PAUSE_MS,
  MAX_RETRY_AFTER_MS,
  MIN_SHARE,
  TEST_MS,
} from '../time-limits'

/** How often and how long to try. */
export type RetryPolicy = TryLimits & {
  retries: number
  /** For all tries and the pauses between them. */
  timeoutMs: number
  /** The first pause. Each further one is twice as long. */
  pauseMs: number
}

/** For a message of the bot. */
export const DELIVERY: RetryPolicy = {
  retries: 3,
  connectTimeoutMs: CONNECT_MS,
  answerTimeoutMs: ANSWER_MS,
  timeoutMs: DELIVERY_MS,
  pauseMs: FIRST_PAUSE_MS,
}

/** For the test message of a registration, connecting included. */
export const ONE_TRY: RetryPolicy = { ...DELIVERY, retries: 0, answerTimeoutMs: TEST_MS, timeoutMs: TEST_MS }

/** Waits before a further try. Resolves to `false` if there should be none. */
export type Pause = (ms: number, failure: EndpointFailure) => Promise<boolean>

const justWait: Pause = async (ms) => {
  await sleep(ms)
  return true
}

export type Outgoing = {
  /** The `webhook-id`, the same in every try. */
  id: string
  /** When the bot made it (ISO 8601): the `botpress-created-at` of its own messages. */
  createdAt?: string
  body: object
  /** For a message with one try: the network may have dropped a kept connection without a word. */
  overNewConnection?: boolean
}

/**
 * Posts a message to the endpoint until it is taken. Every try has the same bytes and `webhook-id`, and a timestamp and
 * signature of its own, as https://www.standardwebhooks.com asks. A message that may have arrived is not tried again: a slow
 * endpoint would do its work twice.
 *
 * @returns when the head of the answer is there; `done` resolves after its body, and the call must wait for that
 * @throws EndpointFailure of the last try
 */
export const postMessage = async (
  { url, webhooks, header }: Endpoint,
  { id, createdAt, body, overNewConnection = false }: Outgoing,
  { retries, timeoutMs, pauseMs, ...limits }: RetryPolicy,
  pause: Pause = justWait
): Promise<Pick<Answer, 'done'>> => {
  const text = wellFormedJson(body)
  const deadline = Date.now() + timeoutMs
  let needsNewConnection = overNewConnection
  const hasTimeAfter = (waitMs: number) => Date.now() + waitMs + timeoutMs * MIN_SHARE <= deadline

  const tryOnce = async (): Promise<Answer> => {
    const now = new Date()
    const answer = await post(url, {
      headers: {
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
        ...(createdAt !== undefined && { 'botpress-created-at': createdAt }),
        ...(webhooks.length > 0 && {
          // Standard Webhooks separates the signatures of two secrets with a space.
          'webhook-signature': webhooks.map((webhook) => webhook.sign(id, now, text)).join(' '),
        }),
      },
      header,
      body: text,
      ...limits,
      deadline,
      overNewConnection: needsNewConnection,
    })
    if (answer.isTaken) return answer
    await answer.done
    throw answerFailure(answer.url, answer, { bytes: Buffer.byteLength(text), secret: header?.[1] })
  }

  for (let tries = 1; ; tries++) {
    try {
      return await tryOnce()
    } catch (failure) {
      if (!(failure instanceof EndpointFailure)) throw failure
      failure.tries = tries
      const { isTemporary, retryAfterMs = 0, status } = failure.details
      const waitMs = backoffMs(tries, pauseMs, Math.min(retryAfterMs, MAX_RETRY_AFTER_MS))
      if (!isTemporary || tries > retries || !hasTimeAfter(waitMs)) throw failure
      // Without an answer, the connection was at fault, and so may be the others that are kept.
      needsNewConnection ||= status === undefined
      // Look at the time again: the instance may have been frozen in the pause.
      if (!(await pause(waitMs, failure)) || !hasTimeAfter(0)) throw failure
    }
  }
}
