import { setTimeout as sleep } from 'node:timers/promises'
import pRetry from 'p-retry'
import { BotpressFailure } from './botpress-failure'

const LIMIT_MS = 20_000
const FIRST_PAUSE_MS = 250

/**
 * Does `work` again while it fails for a temporary reason of Botpress, with growing, jittered pauses, or the one that
 * Botpress has asked for.
 *
 * @param work may be done again though it has succeeded unseen: all that it writes is get-or-create
 * @param limitMs for all of it. Work that is not done by then is left to itself.
 * @throws what `work` threw last, or a BotpressFailure that timed out where it has not even thrown in time
 */
export const withRetries = async <T>(
  work: () => Promise<T>,
  { limitMs = LIMIT_MS, firstPauseMs = FIRST_PAUSE_MS } = {}
): Promise<T> => {
  const deadline = Date.now() + limitMs
  let lastFailure: BotpressFailure | undefined
  let timer: NodeJS.Timeout | undefined
  const outOfTime = new Promise<never>((_resolve, reject) => {
    const giveUp = () => reject(lastFailure ?? new BotpressFailure('no answer in time', { timedOut: true }))
    timer = setTimeout(giveUp, limitMs)
  })
  const done = pRetry(work, {
    retries: Infinity,
    minTimeout: firstPauseMs,
    randomize: true,
    maxRetryTime: limitMs,
    shouldRetry: async ({ error }) => {
      const failure = BotpressFailure.in(error)
      if (!failure?.isTemporary) return false
      lastFailure = failure
      const pauseMs = failure.more.retryAfterMs ?? 0
      // Better an answer now, with the Retry-After in it, than one that comes to nothing later.
      if (Date.now() + pauseMs >= deadline) return false
      await sleep(pauseMs)
      return true
    },
  })
  try {
    return await Promise.race([done, outOfTime])
  } finally {
    clearTimeout(timer)
  }
}
