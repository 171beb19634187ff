import { effect } from '@preact/signals'
import { summaries } from '../model/found.js'
import { connection } from '../model/live.js'
import { counted, STATUS_WORDS } from '../model/trace.js'
import { announce } from './announcer.js'

/** What is worth a word once it is so. */
const TOLD = new Set(['delivered', 'failed', 'perhaps', 'refused'])

/** Of a burst, the newest are told. */
const LOOKED_AT = 20

/** Tells how each trace ended, once, and when the sandbox is gone or back. @returns {() => void} ends it */
export const announceOutcomes = () => {
  /** @type {Map<string, string>} */
  const told = new Map()
  const openedAt = Date.now()
  const ends = [
    effect(() => {
      for (const { id, status, title, tries, replies, startedAt, direction } of summaries.value.slice(0, LOOKED_AT)) {
        if (!TOLD.has(status) || told.get(id) === status || startedAt < openedAt) continue
        if (direction === 'of the integration') continue
        told.set(id, status)
        const after = status === 'delivered' && tries > replies ? ` in ${counted(tries, 'try', 'tries')}` : ''
        announce(`${title}: ${STATUS_WORDS[status]}${after}`)
      }
    }),
    effect(() => {
      if (connection.value === 'gone') announce('The sandbox is gone')
    }),
  ]
  return () => ends.forEach((end) => end())
}
