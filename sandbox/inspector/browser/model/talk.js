import { computed, effect, signal, untracked } from '@preact/signals'
import { address } from './address.js'
import { isOfThisRun, traces, version } from './store.js'
import { createdAt, eventOf, isUndelivered, statusOfMessage, textOf } from './trace.js'

/** @import { SeenMessage } from '../../wire' */
/** @import { Trace } from './store' */
/** @import { Status } from './trace' */

/** @typedef {{ message: SeenMessage, trace: Trace }} Said */

/** @typedef {{ id: string, lastWords: string, lastAt: number, unread: number, failed: number }} Conversation */

/** All messages and events, in order. */
const said = computed(() => {
  void version.value
  const since = Number(address.since.value)
  /** @type {Said[]} */
  const all = []
  for (const trace of traces.values()) {
    const event = eventOf(trace)
    for (const message of [...trace.messages.values(), ...(event ? [event] : [])])
      if (createdAt(message) >= since) all.push({ message, trace })
  }
  // Those of the same moment have ids that are greater the later they are.
  return all.toSorted((a, b) => createdAt(a.message) - createdAt(b.message) || (a.message.id < b.message.id ? -1 : 1))
})

/** Those of the conversation that is chosen, or all. */
export const saidHere = computed(() => {
  const chosen = address.conversation.value
  return chosen === '' ? said.value : said.value.filter(({ message }) => message.conversationId === chosen)
})

/** When a conversation was last looked at, in milliseconds since 1970. @type {import('@preact/signals').Signal<Record<string, number>>} */
const readAt = signal({})

/** Those that were opened by hand, and have no message yet. @type {import('@preact/signals').Signal<string[]>} */
const opened = signal([])

/** What was there before is read: when all of them were last shown. */
const allReadAt = signal(Date.now())

/** The conversation that was shown before, or '' where all were. */
let before = ''

// However it was chosen, and left.
effect(() => {
  const now = address.conversation.value
  untracked(() => {
    if (before === '') allReadAt.value = Date.now()
    else readAt.value = { ...readAt.value, [before]: Date.now() }
  })
  before = now
})

/** Makes up a conversation that there is not, and chooses it. */
export const openNew = () => {
  let number = conversations.value.length + 1
  while (conversations.value.some(({ id }) => id === `conversation-${number}`)) number++
  opened.value = [...opened.value, `conversation-${number}`]
  address.conversation.value = `conversation-${number}`
}

/** The one with the newest message first. @type {import('@preact/signals').ReadonlySignal<Conversation[]>} */
export const conversations = computed(() => {
  /** @type {Map<string, Conversation>} */
  const all = new Map()
  const empty = (/** @type {string} */ id) => ({ id, lastWords: '', lastAt: 0, unread: 0, failed: 0 })
  const chosen = address.conversation.value
  for (const id of [...opened.value, ...(chosen === '' ? [] : [chosen])]) all.set(id, empty(id))
  for (const { message, trace } of said.value) {
    const id = message.conversationId
    const at = createdAt(message)
    const known = all.get(id) ?? empty(id)
    // Where all are shown, all are read.
    const isRead = chosen === '' || chosen === id || at <= Math.max(readAt.value[id] ?? 0, allReadAt.value)
    all.set(id, {
      id,
      lastWords: textOf(message),
      lastAt: at,
      unread: known.unread + (message.direction === 'outgoing' && !isRead ? 1 : 0),
      failed: known.failed + (isUndelivered(statusOfMessage(trace, message)) ? 1 : 0),
    })
  }
  return [...all.values()].toSorted((a, b) => (b.lastAt || Infinity) - (a.lastAt || Infinity))
})

/** Messages that were given up: how many failed, may have arrived, and wait to be fetched. Not those that are being tried. */
export const marked = computed(() => ({
  failed: countOf('failed'),
  unknown: countOf('perhaps'),
  waiting: countOf('waiting'),
}))

/** @param {Status} status */
const countOf = (status) =>
  said.value.filter(({ message, trace }) => isOfThisRun(message.id) && statusOfMessage(trace, message) === status)
    .length
