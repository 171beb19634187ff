import { isUndelivered } from './trace.js'

/** @import { Status, Summary } from './trace' */

/** @param {number[]} sorted @param {number} share */
const percentile = (sorted, share) => sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)]

/**
 * What the traces amount to. `sent` and `refused` count requests of backends, each trace once; `delivered`, `retrying`,
 * `undelivered` and `waiting` count messages of the bot. The percentiles are of round trips, in milliseconds.
 *
 * @param {Summary[]} summaries
 */
export const numbersOf = (summaries) => {
  const trips = summaries.flatMap(({ roundTripMs }) => roundTripMs ?? []).toSorted((a, b) => a - b)
  const replies = summaries.flatMap((summary) => summary.replies)
  const count = (/** @type {(status: Status) => boolean} */ is) => replies.filter(is).length
  return {
    sent: summaries.filter(({ isMessage, requests, status }) => isMessage && requests > 0 && status !== 'refused')
      .length,
    delivered: count((status) => status === 'delivered'),
    retrying: count((status) => status === 'retrying'),
    undelivered: count(isUndelivered),
    waiting: count((status) => status === 'waiting'),
    refused: summaries.filter(({ status }) => status === 'refused').length,
    p50: percentile(trips, 0.5),
    p95: percentile(trips, 0.95),
  }
}
