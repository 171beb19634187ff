import type { Message } from '@botpress/client'
import { isToCome } from '../clock'
import { MAX_REDELIVERY_PAUSE_MS, REDELIVERY_PAUSE_MS } from '../time-limits'

/** Reads the tag `redeliveryFailures`: a count, and the time of the last failure. Version 1.1 wrote no time, and nothing for 0. */
const failuresOf = ({ tags }: Message) => {
  const [count = '', time = ''] = (tags['redeliveryFailures'] ?? '').split(' ')
  return { count: Number(count) || 0, lastAt: Date.parse(time) || 0 }
}

/** The value of the tag after one more failure. */
export const oneMoreFailure = (message: Message): string =>
  `${failuresOf(message).count + 1} ${new Date().toISOString()}`

/** Whether a message failed in at most so many redeliveries. */
export const failedAtMost =
  (times: number) =>
  (message: Message): boolean =>
    failuresOf(message).count <= times

/** Whether the pause after the last failed redelivery is over: 2^n minutes after n of them, at most 12 hours. */
export const isPauseOver = (message: Message): boolean => {
  const { count, lastAt } = failuresOf(message)
  const pauseMs = Math.min(2 ** count * REDELIVERY_PAUSE_MS, MAX_REDELIVERY_PAUSE_MS)
  return !isToCome(lastAt + pauseMs, pauseMs)
}
