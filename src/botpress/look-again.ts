import { setTimeout as setTimeoutPromise } from 'node:timers/promises'
import { FIRST_LOOK_MS } from '../time-limits'
import { BotpressFailure } from './botpress-failure'

/** @param limitMs how long it may take at most; what it has found until then counts */
type Look = (limitMs: number) => Promise<{
  isDone: boolean
  /** When to look again at the latest, in milliseconds since 1970. */
  nextAt?: number
}>

type Options = { waitMs: number; maxPauseMs: number }

export type Clock = { now: () => number; sleep: (ms: number) => Promise<unknown> }

export const REAL_CLOCK: Clock = { now: Date.now, sleep: (ms) => setTimeoutPromise(ms) }

/**
 * Looks for something in Botpress until it is done: often at first, and then less often, but as late as Botpress asks. Ends
 * also when the time is up, or Botpress refuses for good. A failure of Botpress is not thrown.
 */
export const lookAgain = async (
  look: Look,
  { waitMs, maxPauseMs }: Options,
  { now, sleep }: Clock = REAL_CLOCK
): Promise<void> => {
  const deadline = now() + waitMs
  let lookMs = 0
  let nextAt = Infinity
  let askedMs = 0
  for (let pauseMs = FIRST_LOOK_MS; ; pauseMs = Math.min(pauseMs * 1.5, maxPauseMs)) {
    const leftMs = deadline - now()
    if (leftMs <= 0 || askedMs >= leftMs) return
    // Leave time for a last look. If it takes longer than the one before, it is cut off.
    const untilLastLook = Math.max(0, leftMs - lookMs)
    await sleep(Math.min(Math.max(0, Math.min(pauseMs, nextAt - now()), askedMs), untilLastLook))

    const start = now()
    let isOver = untilLastLook === 0
    try {
      const seen = await look(deadline - start)
      isOver ||= seen.isDone
      nextAt = seen.nextAt ?? Infinity
      askedMs = 0
    } catch (thrown) {
      const failure = BotpressFailure.in(thrown)
      if (!failure) throw thrown
      isOver ||= !failure.isTemporary
      nextAt = Infinity
      askedMs = failure.more.retryAfterMs ?? 0
    }
    if (isOver) return
    lookMs = now() - start
  }
}
