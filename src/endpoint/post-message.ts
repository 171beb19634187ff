import { setTimeout as sleep } from 'node:timers/promises'
import { backoffMs } from '../http/backoff'
import type { Endpoint } from '../configuration'
import { wellFormedJson } from '../messages/well-formed-json'
import { answerFailure, EndpointFailure } from './endpoint-failure'
import { type Answer, post, type TryLimits } from './post'
import { ANSWER_MS, CONNECT_MS, DELIVERY_MS, FIRST_PAUSE_MS, MAX_RETRY_AFTER_MS, TEST_MS } from '../time-limits'

/** How hard to try. */
export type Patience = TryLimits & {
  retries: number
  /** For all tries and the pauses between them. */
  timeoutMs: number
  /** The first pause; each further one is twice as long as the one before. */
  pauseMs: number
}

/** For a message of the bot. */
export const DELIVERY: Patience = {
  retries: 3,
  connectTimeoutMs: CONNECT_MS,
  answerTimeoutMs: ANSWER_MS,
  timeoutMs: DELIVERY_MS,
  pauseMs: FIRST_PAUSE_MS,
}

/** For the test message of the registration: connecting counts too. */
export const ONE_TRY: Patience = { ...DELIVERY, retries: 0, answerTimeoutMs: TEST_MS, timeoutMs: TEST_MS }

/** Waits before a further try; resolves to whether there should be one. */
export type Pause = (ms: number, failure: EndpointFailure) => Promise<boolean>

const justWait: Pause = async (ms) => {
  await sleep(ms)
  return true
}

/** The least of the time for all tries that a further one must have: what is cut off may have arrived. */
const MIN_SHARE = 0.25

export type Outgoing = {
  /** The `webhook-id`, the same in every try. */
  id: string
  /** When the bot made it (ISO 8601): the `botpress-created-at` of its own messages. */
  createdAt?: string
  body: object
  /** For a message that has one try, and may not find a connection that was forgotten on the way. */
  overNewConnection?: boolean
}

/**
 * Posts a message to the endpoint until it is taken: any 2xx is success. Each try carries the same bytes and the same
 * `webhook-id`, with a timestamp and a signature of its own, as https://www.standardwebhooks.com asks. What may have been
 * taken is not tried again: an endpoint that is slow would do its work twice.
 *
 * @returns when the head of the answer is there; `done` resolves when all of it is, which the call must wait for
 * @throws EndpointFailure when no try has succeeded, or one has failed for good
 */
export const postMessage = async (
  { url, webhooks, header }: Endpoint,
  { id, createdAt, body, overNewConnection = false }: Outgoing,
  { retries, timeoutMs, pauseMs, ...limits }: Patience,
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
          // Separated by spaces, as Standard Webhooks has it for secrets that are being replaced.
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
      // Where there was no answer, the connection was at fault, and so may be others that were kept with it.
      needsNewConnection ||= status === undefined
      // After it, no time may be left: an instance may have been frozen meanwhile.
      if (!(await pause(waitMs, failure)) || !hasTimeAfter(0)) throw failure
    }
  }
}
