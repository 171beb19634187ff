import { setTimeout as sleep } from 'node:timers/promises'
import { backoffMs } from '../http/backoff'
import { BOTPRESS_FIRST_PAUSE_MS, BOTPRESS_MS } from '../time-limits'
import { BotpressFailure } from './botpress-failure'
import { inTime } from './transport'

/**
 * Runs `work` again while Botpress fails for a temporary reason, with growing pauses, at least as long as Botpress asks for.
 *
 * @param work must be idempotent
 * @param limitMs for all tries: what is unfinished by then is aborted
 * @param maxAskedMs the longest pause that Botpress may ask for
 * @throws the last failure of `work`; a BotpressFailure that timed out, if there is none by then
 */
export const withRetries = async <T>(
  work: () => Promise<T>,
  { limitMs = BOTPRESS_MS, firstPauseMs = BOTPRESS_FIRST_PAUSE_MS, maxAskedMs = Infinity } = {}
): Promise<T> => {
  const deadline = Date.now() + limitMs
  let lastFailure: unknown
  const tryAgainAndAgain = async (): Promise<T> => {
    for (let tries = 1; ; tries++) {
      try {
        return await work()
      } catch (thrown) {
        lastFailure = thrown
        const failure = BotpressFailure.in(thrown)
        const pauseMs = backoffMs(tries, firstPauseMs, Math.min(failure?.more.retryAfterMs ?? 0, maxAskedMs))
        // Don't start a pause that outlasts the deadline.
        if (!failure?.isTemporary || Date.now() + pauseMs >= deadline) throw thrown
        await sleep(pauseMs)
      }
    }
  }
  return inTime(limitMs, tryAgainAndAgain).catch((thrown) => Promise.reject(lastFailure ?? thrown))
}
