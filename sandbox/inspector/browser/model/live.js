import { batch, signal } from '@preact/signals'
import { apply } from './store.js'

/** `live`, `connecting`, or `gone` where the sandbox has not come back for a while. */
export const connection = signal('connecting')

const KINDS = ['start', 'exchange', 'message', 'instances', 'faults']

/** How long events are applied in one frame, so that there is time to draw. */
const FRAME_MS = 12
const EVENTS_A_STEP = 20

/** A page that is not seen gets no frames. */
const HIDDEN_MS = 250

const GONE_AFTER_MS = 5000

/** @type {{ kind: string, data: string }[]} */
let waiting = []
let isScheduled = false

/** A page that is hidden while it waits for a frame gets none. */
document.addEventListener('visibilitychange', () => {
  if (document.hidden && isScheduled) setTimeout(applyWaiting, HIDDEN_MS)
})

/** The timer until it is gone. @type {number | undefined} */
let gone

const schedule = () => {
  if (isScheduled) return
  isScheduled = true
  if (document.hidden) setTimeout(applyWaiting, HIDDEN_MS)
  else requestAnimationFrame(applyWaiting)
}

const applyWaiting = () => {
  isScheduled = false
  const deadline = performance.now() + FRAME_MS
  let count = 0
  batch(() => {
    for (; count < waiting.length && performance.now() < deadline; count += EVENTS_A_STEP) {
      apply(waiting.slice(count, count + EVENTS_A_STEP))
    }
  })
  waiting = waiting.slice(count)
  if (waiting.length > 0) schedule()
}

/** Listens for what happens. The browser connects again by itself, and gets all there is anew. */
export const connect = () => {
  const source = new EventSource('/events')
  for (const kind of KINDS) {
    source.addEventListener(kind, ({ data }) => {
      waiting.push({ kind, data })
      schedule()
    })
  }
  source.addEventListener('open', () => {
    clearTimeout(gone)
    gone = undefined
    connection.value = 'live'
  })
  source.addEventListener('error', () => {
    if (connection.value === 'live') connection.value = 'connecting'
    gone ??= window.setTimeout(() => (connection.value = 'gone'), GONE_AFTER_MS)
    // The browser gives up where something else answers.
    if (source.readyState === EventSource.CLOSED) {
      source.close()
      setTimeout(connect, 1000)
    }
  })
}
