import { isFailure } from './trace.js'

/** @import { Summary } from './trace' */

/** @param {number[]} sorted @param {number} share */
const percentile = (sorted, share) => sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)]

/** What the traces amount to. @param {Summary[]} summaries */
export const numbersOf = (summaries) => {
  const trips = summaries.flatMap(({ roundTripMs }) => roundTripMs ?? []).toSorted((a, b) => a - b)
  const count = (/** @type {(summary: Summary) => boolean} */ is) => summaries.filter(is).length
  return {
    messages: count(({ isMessage }) => isMessage),
    p50: percentile(trips, 0.5),
    p95: percentile(trips, 0.95),
    delivered: count(({ status, direction }) => status === 'delivered' && direction !== 'of the integration'),
    retried: count(({ isRetried }) => isRetried),
    failed: count(({ status }) => isFailure(status)),
  }
}
