import { computed, signal } from '@preact/signals'
import { address } from './address.js'
import { traces, version } from './store.js'
import { isUndelivered, summaryOf } from './trace.js'

/** @import { Summary } from './trace' */

/**
 * @typedef {{ q: string, status: string, direction: string, conversation: string }} Filters
 */

/** A status that stands for two. @type {Record<string, (status: Summary['status']) => boolean>} */
const KINDS_OF_STATUS = { undelivered: isUndelivered }

/** @param {Summary} summary @param {Filters} filters `status` is one, or one that stands for several */
export const matches = ({ words, status, direction, conversationId }, filters) =>
  (filters.conversation === '' || filters.conversation === conversationId) &&
  (filters.status === '' || (KINDS_OF_STATUS[filters.status]?.(status) ?? filters.status === status)) &&
  (filters.direction === '' || filters.direction === direction) &&
  filters.q
    .toLowerCase()
    .split(/\s+/)
    .every((word) => words.includes(word))

/** All that there is, newest first. */
export const allSummaries = computed(() => {
  void version.value
  return [...traces.values()].map(summaryOf).toSorted((a, b) => b.startedAt - a.startedAt)
})

/** All that there is since it was cleared, newest first. */
export const summaries = computed(() => {
  const since = Number(address.since.value)
  return allSummaries.value.filter(({ lastAt }) => lastAt >= since)
})

/** What is found, newest first. */
export const found = computed(() => {
  const filters = Object.fromEntries(Object.entries(address).map(([name, { value }]) => [name, value]))
  return summaries.value.filter((summary) => matches(summary, /** @type {any} */ (filters)))
})

/** Since when the newest is out of sight, in milliseconds since 1970: the list stands still then too. 0 where it is in sight. */
export const scrolledAt = signal(0)

/** What the list shows, and how many are new beside. */
export const listed = computed(() => {
  const all = found.value
  const until = Math.min(Number(address.until.value) || Infinity, scrolledAt.value || Infinity)
  const shown = all.filter(({ startedAt }) => startedAt <= until)
  return { shown, fresh: all.length - shown.length }
})
