import { computed, signal } from '@preact/signals'
import { address } from './address.js'
import { traces, version } from './store.js'
import { createdAt, statusOfMessage, textOf } from './trace.js'

/** @import { SeenMessage } from '../../wire' */
/** @import { Trace } from './store' */

/** @typedef {{ message: SeenMessage, trace: Trace }} Said */

/** @typedef {{ id: string, lastWords: string, lastAt: number, unread: number, failed: number }} Conversation */

/** All messages, in order. */
const said = computed(() => {
  void version.value
  const since = Number(address.since.value)
  /** @type {Said[]} */
  const all = []
  for (const trace of traces.values()) {
    for (const message of trace.messages.values()) if (createdAt(message) >= since) all.push({ message, trace })
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

/** Chooses a conversation, for chat, wire and form; all of them with ''. @param {string} id */
export const choose = (id) => {
  const before = address.conversation.value
  readAt.value = { ...readAt.value, ...(before && { [before]: Date.now() }), ...(id && { [id]: Date.now() }) }
  address.conversation.value = id
}

/** Makes up a conversation that there is not, and chooses it. */
export const openNew = () => {
  let number = conversations.value.length + 1
  while (conversations.value.some(({ id }) => id === `conversation-${number}`)) number++
  opened.value = [...opened.value, `conversation-${number}`]
  choose(`conversation-${number}`)
}

const isFailed = (/** @type {Said} */ { message, trace }) => {
  const status = statusOfMessage(trace, message)
  return status === 'failed' || status === 'perhaps'
}

/** The one with the newest message first. @type {import('@preact/signals').ReadonlySignal<Conversation[]>} */
export const conversations = computed(() => {
  /** @type {Map<string, Conversation>} */
  const all = new Map(opened.value.map((id) => [id, { id, lastWords: '', lastAt: 0, unread: 0, failed: 0 }]))
  for (const one of said.value) {
    const { message } = one
    const id = message.conversationId
    const at = createdAt(message)
    const before = all.get(id) ?? { id, lastWords: '', lastAt: 0, unread: 0, failed: 0 }
    // Where all are shown, all are read.
    const isRead =
      address.conversation.value === '' || address.conversation.value === id || at <= (readAt.value[id] ?? readAll)
    all.set(id, {
      id,
      lastWords: textOf(message),
      lastAt: at,
      unread: before.unread + (message.direction === 'outgoing' && !isRead ? 1 : 0),
      failed: before.failed + (isFailed(one) ? 1 : 0),
    })
  }
  return [...all.values()].toSorted((a, b) => (b.lastAt || Infinity) - (a.lastAt || Infinity))
})

/** What was there before the page is read. */
const readAll = Date.now()

/** The messages that the integration has marked: how many may be redelivered, and how many may have arrived. */
export const marked = computed(() => ({
  failed: said.value.filter(({ message }) => message.mark === 'failed').length,
  unknown: said.value.filter(({ message }) => message.mark === 'unknown').length,
}))
