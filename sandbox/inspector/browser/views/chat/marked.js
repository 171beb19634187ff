import { signal } from '@preact/signals'
import { html } from 'htm/preact'
import { redeliverMarked, takeWaiting } from '../../model/server.js'
import { marked } from '../../model/talk.js'
import { announce } from '../announcer.js'
import { counted } from '../in-words.js'

/** What the last redelivery came to, and what was marked then. */
const outcome = signal({ words: '', of: '' })

const markedNow = () => JSON.stringify(marked.value)

/** @param {string} what is under way @param {() => Promise<string>} act tells how it went */
const settle = async (what, act) => {
  outcome.value = { words: `${what} …`, of: markedNow() }
  const words = await act().catch(({ message }) => message)
  outcome.value = { words, of: markedNow() }
  announce(words)
}

/** What the integration has marked, and what can be done about it. */
export const Marked = () => {
  const { failed, unknown, waiting } = marked.value
  if (failed + unknown + waiting === 0) return null
  return html`<div class="marked" role="group" aria-label="Not delivered, or perhaps">
    ${
      failed > 0 &&
      html`<button type="button" onClick=${() => settle('redelivering', () => redeliverMarked('failed'))}>
        Redeliver ${counted(failed, 'message')} that failed
      </button>`
    }
    ${
      unknown > 0 &&
      html`<button type="button" onClick=${() => settle('redelivering', () => redeliverMarked('unknown'))}>
        Send again ${counted(unknown, 'message')} that may have arrived
      </button>`
    }
    ${waiting > 0 && html`<button type="button" onClick=${() => settle('taking', takeWaiting)}>Take ${counted(waiting, 'message')} that wait${waiting === 1 ? 's' : ''}</button>`}
    ${outcome.value.of === markedNow() && html`<span>${outcome.value.words}</span>`}
  </div>`
}
