import { batch, effect, signal } from '@preact/signals'
import { address } from './address.js'

/** @typedef {'chat' | 'wire' | 'detail'} Pane */

/** The pane that is shown on a narrow page, where there is room for one. @type {import('@preact/signals').Signal<Pane>} */
export const pane = signal('chat')

/** What was clicked in the chat to open a trace: its detail begins there. */
export const clicked = signal({ trace: '', message: '' })

/** @type {Pane} */
let cameFrom = 'wire'

/** Opens a trace, and shows it. @param {string} trace @param {string} [message] the one in the chat that was clicked */
export const openTrace = (trace, message = '') =>
  batch(() => {
    if (pane.value !== 'detail') cameFrom = pane.value
    if (message !== '') clicked.value = { trace, message }
    address.trace.value = trace
    pane.value = 'detail'
  })

/** Shows the pane that is chosen, at once: what is in it can have the focus then. @returns {() => void} ends it */
export const followPane = () => {
  let before = ''
  const ends = [
    effect(() => void (document.body.dataset['pane'] = pane.value)),
    effect(() => {
      const trace = address.trace.value
      if (trace !== '' && before === '') pane.value = 'detail'
      if (trace === '' && before !== '') pane.value = cameFrom
      before = trace
    }),
  ]
  return () => ends.forEach((end) => end())
}
