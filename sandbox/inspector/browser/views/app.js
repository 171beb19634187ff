import { useEffect } from 'preact/hooks'
import { html } from 'htm/preact'
import { address } from '../model/address.js'
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

export const App = () => {
  useEffect(() => {
    document.addEventListener('keydown', onKey)
    const ends = [announceOutcomes(), keepFocus()]
    return () => {
      document.removeEventListener('keydown', onKey)
      ends.forEach((end) => end())
    }
  }, [])
  const isOpen = address.trace.value !== ''
  return html`
    <${Header} />
    <${Faults} />
    <main class=${isOpen ? 'with-detail' : ''}>
      <${Conversations} />
      <section id="chat-pane" tabindex="-1" aria-labelledby="chat-title">
        <${Chat} />
        <${Composer} />
      </section>
      <${TraceList} />
      ${isOpen ? html`<${Detail} />` : html`<${FirstSteps} />`}
    </main>
    <${EditDialog} />
    <${KeysDialog} />
    <${Announcer} />
  `
}
