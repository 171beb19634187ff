import { computed, signal } from '@preact/signals'
import { address } from './address.js'
import { traces, version } from './store.js'
import { summaryOf } from './trace.js'

/** @import { Summary } from './trace' */

/**
 * @typedef {{ q: string, status: string, direction: string, conversation: string, since: string }} Filters
 */

const FAILED = new Set(['failed', 'refused', 'perhaps'])

/** @param {Summary} summary @param {Filters} filters `status` is one, or `failed only` */
export const matches = ({ words, status, direction, conversationId, startedAt }, filters) =>
  startedAt >= Number(filters.since) &&
  (filters.conversation === '' || filters.conversation === conversationId) &&
  (filters.status === '' || (filters.status === 'failed only' ? FAILED.has(status) : filters.status === status)) &&
  (filters.direction === '' || filters.direction === direction) &&
  filters.q
    .toLowerCase()
    .split(/\s+/)
    .every((word) => words.includes(word))

/** All that there is since it was cleared, newest first. */
export const summaries = computed(() => {
  void version.value
  const since = Number(address.since.value)
  return [...traces.values()]
    .map(summaryOf)
    .filter(({ startedAt }) => startedAt >= since)
    .toSorted((a, b) => b.startedAt - a.startedAt)
})

/** What is found, newest first. */
export const found = computed(() => {
  const filters = Object.fromEntries(Object.entries(address).map(([name, { value }]) => [name, value]))
  return summaries.value.filter((summary) => matches(summary, /** @type {any} */ (filters)))
})

/** Whether the list stands still, by a button. */
export const isPaused = signal(false)

/** Whether the newest is out of sight: the list stands still then too. */
export const isScrolled = signal(false)

/** @type {Set<string> | undefined} what was there when the list began to stand still */
let held

/** What the list shows, and how many are new beside. */
export const listed = computed(() => {
  const all = found.value
  if (!isPaused.value && !isScrolled.value) {
    held = undefined
    return { shown: all, fresh: 0 }
  }
  held ??= new Set(all.map(({ id }) => id))
  const known = held
  const newest = all.find(({ id }) => known.has(id))
  // What was there before, and has come into sight by another filter, is not new.
  const shown = all.filter(
    ({ id, startedAt }) => known.has(id) || (newest !== undefined && startedAt <= newest.startedAt)
  )
  return { shown, fresh: all.length - shown.length }
})
