import { useEffect } from 'preact/hooks'
import { html } from 'htm/preact'
import { address } from '../model/address.js'
import { followPane, pane } from '../model/pane.js'
import { Announcer } from './announcer.js'
import { Chat } from './chat/chat.js'
import { Composer } from './chat/composer.js'
import { Conversations } from './chat/conversations.js'
import { Faults } from './faults.js'
import { FirstSteps } from './first-steps.js'
import { Header } from './header.js'
import { keepFocus } from './keep-focus.js'
import { onKey } from './keyboard.js'
import { KeysDialog } from './keys-dialog.js'
import { announceOutcomes } from './outcomes.js'
import { Detail } from './wire/detail.js'
import { EditDialog } from './wire/edit-dialog.js'
import { TraceList } from './wire/trace-list.js'

/** @import { Pane } from '../model/pane' */

/** @type {[Pane, string][]} */
const PANES = [
  ['chat', 'Chat'],
  ['wire', 'Wire'],
  ['detail', 'Detail'],
]

/** Chooses what is shown where there is no room for all. */
const Panes = () =>
  html`<nav class="panes" aria-label="Panes">
    ${PANES.map(
      ([name, words]) =>
        html`<button key=${name} type="button" aria-pressed=${name === pane.value} onClick=${() => (pane.value = name)}>
          ${words}
        </button>`
    )}
  </nav>`

export const App = () => {
  useEffect(() => {
    document.addEventListener('keydown', onKey)
    const ends = [announceOutcomes(), keepFocus(), followPane()]
    return () => {
      document.removeEventListener('keydown', onKey)
      ends.forEach((end) => end())
    }
  }, [])
  return html`
    <${Header} />
    <${Faults} />
    <${Panes} />
    <main>
      <${Conversations} />
      <section id="chat-pane" tabindex="-1" aria-labelledby="chat-title">
        <${Chat} />
        <${Composer} />
      </section>
      <${TraceList} />
      ${address.trace.value === '' ? html`<${FirstSteps} />` : html`<${Detail} />`}
    </main>
    <${EditDialog} />
    <${KeysDialog} />
    <${Announcer} />
  `
}
