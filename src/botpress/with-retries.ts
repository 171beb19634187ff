import { setTimeout as sleep } from 'node:timers/promises'
import { backoffMs } from '../http/backoff'
import { BOTPRESS_FIRST_PAUSE_MS, BOTPRESS_MS } from '../time-limits'
import { BotpressFailure } from './botpress-failure'
import { inTime } from './transport'

/**
 * Runs `work` again while Botpress fails for a temporary reason, with growing pauses, at least as long as Botpress asks for.
 *
 * @param work must be idempotent, or `mayRepeat` must tell what surely did nothing
 * @param limitMs for all tries: what is unfinished by then is aborted
 * @param maxAskedMs the longest pause that Botpress may ask for
 * @throws the last failure of `work`; a BotpressFailure that timed out, if it is aborted
 */
export const withRetries = async <T>(
  work: () => Promise<T>,
  {
    limitMs = BOTPRESS_MS,
    firstPauseMs = BOTPRESS_FIRST_PAUSE_MS,
    maxAskedMs = Infinity,
    mayRepeat = ({ isTemporary }: BotpressFailure) => isTemporary,
  } = {}
): Promise<T> => {
  const deadline = Date.now() + limitMs
  return inTime(limitMs, async () => {
    for (let tries = 1; ; tries++) {
      try {
        return await work()
      } catch (thrown) {
        const failure = BotpressFailure.in(thrown)
        const pauseMs = backoffMs(tries, firstPauseMs, Math.min(failure?.more.retryAfterMs ?? 0, maxAskedMs))
        // Don't start a pause that outlasts the deadline.
        if (!failure || !mayRepeat(failure) || Date.now() + pauseMs >= deadline) throw thrown
        await sleep(pauseMs)
      }
    }
  })
}
