import { effect } from '@preact/signals'
import { summaries } from '../model/found.js'
import { connection } from '../model/live.js'
import { announce } from './announcer.js'
import { counted, STATUS_WORDS } from './in-words.js'

/** What is worth a word once it is so. */
const TOLD = new Set(['delivered', 'failed', 'perhaps', 'refused'])

/** Of a burst, the newest are told. */
const LOOKED_AT = 20

/** As many are remembered not to be told again: more than are looked at. */
const MAX_TOLD = 1000

/** Tells how each trace ended, once, and when the sandbox is gone or back. @returns {() => void} ends it */
export const announceOutcomes = () => {
  /** @type {Map<string, string>} */
  const told = new Map()
  const openedAt = Date.now()
  let wasGone = false
  const ends = [
    effect(() => {
      for (const { id, status, title, tries, isRetried, startedAt, direction } of summaries.value.slice(0, LOOKED_AT)) {
        if (!TOLD.has(status) || told.get(id) === status || startedAt < openedAt) continue
        if (direction === 'of the integration') continue
        told.set(id, status)
        const [oldest] = told.keys()
        if (oldest !== undefined && told.size > MAX_TOLD) told.delete(oldest)
        const after = status === 'delivered' && isRetried ? ` in ${counted(tries, 'try', 'tries')}` : ''
        announce(`${title}: ${STATUS_WORDS[status]}${after}`)
      }
    }),
    effect(() => {
      if (connection.value === 'gone') announce('The sandbox is gone')
      if (connection.value === 'live' && wasGone) announce('The sandbox is back')
      wasGone = connection.value === 'gone'
    }),
  ]
  return () => ends.forEach((end) => end())
}
