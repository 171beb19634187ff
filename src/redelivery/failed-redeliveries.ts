import type { Message } from '@botpress/client'

const MINUTE_MS = 60_000

const MAX_PAUSE_MINUTES = 12 * 60

/** In how many redeliveries the endpoint has failed on a message. */
export const failedRedeliveries = (message: Pick<Message, 'tags'>): number => read(message).count

/** The value of the tag after one more: the count, and the time (ISO 8601). */
export const oneMoreFailed = (message: Pick<Message, 'tags'>): string =>
  `${failedRedeliveries(message) + 1} ${new Date().toISOString()}`

/** Whether the pause after the last failed redelivery is over: 2^n minutes after n of them, at most 12 hours. */
export const isPauseOver = (message: Pick<Message, 'tags'>): boolean => {
  const { count, lastAt } = read(message)
  return Date.now() - lastAt >= Math.min(2 ** count, MAX_PAUSE_MINUTES) * MINUTE_MS
}

/** Version 1.1 wrote the count alone. */
const read = ({ tags }: Pick<Message, 'tags'>) => {
  const [count = '', time = ''] = (tags['redeliveryFailures'] ?? '').split(' ')
  return { count: Number(count) || 0, lastAt: Date.parse(time) || 0 }
}
