import { address } from '../model/address.js'
import { listed } from '../model/found.js'
import { pane } from '../model/pane.js'
import { openKeys } from './keys-dialog.js'
import { replayTrace } from './wire/again.js'
import { focusDetail } from './wire/detail.js'

const isTyping = () => /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName ?? '')

/** The trace that was closed by key: the list is gone through from there. */
let left = ''

/** Opens the trace that is so many below the open one. @param {number} step */
const move = (step) => {
  const { shown } = listed.value
  if (shown.length === 0) return
  const index = shown.findIndex(({ id }) => id === (address.trace.value || left))
  const next = index < 0 ? 0 : Math.min(Math.max(index + step, 0), shown.length - 1)
  address.trace.value = shown[next]?.id ?? ''
}

/** @type {Record<string, () => void>} */
const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  '/': () => {
    pane.value = 'wire'
    document.getElementById('search')?.focus()
  },
  m: () => {
    pane.value = 'chat'
    document.getElementById('composer-text')?.focus()
  },
  '?': openKeys,
  r: () => void replayTrace(address.trace.value),
  Enter: () => {
    if (address.trace.value === '') move(left === '' ? 1 : 0)
    focusDetail()
  },
  Escape: () => {
    left = address.trace.value || left
    address.trace.value = ''
    document.getElementById('traces')?.focus()
  },
}

/** What does something else where it has the focus. */
const OWN_ENTER = 'a, button, summary, audio, video, [contenteditable]'

/** The keys that work everywhere but where somebody types. @param {KeyboardEvent} event */
export const onKey = (event) => {
  if (
    event.defaultPrevented ||
    event.ctrlKey ||
    event.metaKey ||
    event.altKey ||
    document.querySelector('dialog[open]')
  )
    return
  if (isTyping()) {
    if (event.key !== 'Escape') return
    if (document.activeElement?.id === 'search') address.q.value = ''
    document.getElementById('traces')?.focus()
    return
  }
  const act = KEYS[event.key]
  if (!act || (event.key === 'Enter' && document.activeElement?.matches(OWN_ENTER))) return
  // A key that is held down goes through the list, and sends nothing again.
  if (event.repeat && event.key === 'r') return
  event.preventDefault()
  act()
}
