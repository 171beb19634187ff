import { effect, signal } from '@preact/signals'
import { address } from './address.js'

/** @typedef {'chat' | 'wire' | 'detail'} Pane */

/** The pane that is shown on a narrow page, where there is room for one. @type {import('@preact/signals').Signal<Pane>} */
export const pane = signal('chat')

/** Shows the pane that is chosen, at once: what is in it can have the focus then. @returns {() => void} ends it */
export const followPane = () => {
  let before = ''
  const ends = [
    effect(() => void (document.body.dataset['pane'] = pane.value)),
    // Who opens a trace wants to see it, and then where he came from.
    effect(() => {
      const trace = address.trace.value
      if ((trace === '') !== (before === '')) pane.value = trace === '' ? 'wire' : 'detail'
      before = trace
    }),
  ]
  return () => ends.forEach((end) => end())
}
