import { setTimeout as sleep } from 'node:timers/promises'
import pRetry from 'p-retry'
import { backoffMs } from '../http/backoff'
import { BotpressFailure } from './botpress-failure'
import { abortable } from './transport'
import { BOTPRESS_FIRST_PAUSE_MS, BOTPRESS_MS } from '../time-limits'

/**
 * Does `work` again while it fails for a temporary reason of Botpress, with growing pauses, as long as Botpress has asked for
 * at least.
 *
 * @param work may be done again though it has succeeded unseen: all that it writes is the same each time
 * @param limitMs for all of it; what is not done by then is aborted
 * @param maxAskedMs the most of a pause that Botpress is given: for what is lost if it is not written now
 * @throws what `work` threw last, or a BotpressFailure that timed out where it has not even thrown in time
 */
export const withRetries = <T>(
  work: () => Promise<T>,
  { limitMs = BOTPRESS_MS, firstPauseMs = BOTPRESS_FIRST_PAUSE_MS, maxAskedMs = Infinity } = {}
): Promise<T> =>
  abortable((signal) => {
    const deadline = Date.now() + limitMs
    let lastFailure: BotpressFailure | undefined

    const giveUpInTime = async (): Promise<never> => {
      await sleep(limitMs, undefined, { signal })
      throw lastFailure ?? new BotpressFailure('no answer in time', { timedOut: true })
    }
    const done = pRetry(work, {
      retries: Infinity,
      // The pauses are made below.
      minTimeout: 0,
      shouldRetry: async ({ error, attemptNumber }) => {
        const failure = BotpressFailure.in(error)
        if (!failure?.isTemporary) return false
        lastFailure = failure
        const pauseMs = backoffMs(attemptNumber, firstPauseMs, Math.min(failure.more.retryAfterMs ?? 0, maxAskedMs))
        // Better an answer now, with the Retry-After in it, than one that comes to nothing later.
        if (Date.now() + pauseMs >= deadline) return false
        await sleep(pauseMs, undefined, { signal })
        return true
      },
    })
    return Promise.race([done, giveUpInTime()])
  })
