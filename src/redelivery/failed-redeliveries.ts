import type { Message } from '@botpress/client'

const MINUTE_MS = 60_000

const MAX_PAUSE_MINUTES = 12 * 60

/** Reads the tag `redeliveryFailures`: a count, and the time of the last failure. Version 1.1 wrote the count alone. */
const failuresOf = ({ tags }: Pick<Message, 'tags'>) => {
  const [count = '', time = ''] = (tags['redeliveryFailures'] ?? '').split(' ')
  return { count: Number(count) || 0, lastAt: Date.parse(time) || 0 }
}

/** The value of the tag after one more failure. */
export const oneMoreFailure = (message: Pick<Message, 'tags'>): string =>
  `${failuresOf(message).count + 1} ${new Date().toISOString()}`

/** Whether a message failed in at most so many redeliveries. */
export const failedAtMost =
  (times: number) =>
  (message: Pick<Message, 'tags'>): boolean =>
    failuresOf(message).count <= times

/** Whether the pause after the last failed redelivery is over: 2^n minutes after n of them, at most 12 hours. */
export const isPauseOver = (message: Pick<Message, 'tags'>): boolean => {
  const { count, lastAt } = failuresOf(message)
  return Date.now() - lastAt >= Math.min(2 ** count, MAX_PAUSE_MINUTES) * MINUTE_MS
}
