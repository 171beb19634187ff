import { html } from 'htm/preact'
import { openTrace } from '../../model/pane.js'
import { exchangesOf, isUndelivered, statusOfMessage, triesOf } from '../../model/trace.js'
import { counted, STATUS_WORDS } from '../in-words.js'
import { memo } from './memo.js'
import { payloadView } from './payload.js'
import { say } from './sending.js'
import { shortened } from './shortened.js'

/** @import { Said } from '../../model/talk' */

/** An error of a delivery without what the bubble itself says. @param {string} error */
const causeOf = (error) => error.replace(/^The message \S+ [^:]*: /, '')

/** @param {Said} said */
const outcomeOf = ({ message, trace }) => {
  const status = statusOfMessage(trace, message)
  if (status === 'taken') {
    const sent = exchangesOf(trace).filter(({ from }) => from === 'backend').length
    return { status, words: sent > 1 ? `sent ${sent} times` : 'sent' }
  }
  const all = triesOf(trace, message)
  const tries = all.filter(({ isRedelivery }) => !isRedelivery).length
  const after =
    (tries > 1 ? `${status === 'retrying' ? ',' : ' in'} ${counted(tries, 'try', 'tries')}` : '') +
    (all.length > tries ? ', redelivered' : '')
  const reason = isUndelivered(status) ? `: ${causeOf(message.delivery?.error ?? '')}` : ''
  return { status, words: `${STATUS_WORDS[status]}${after}${reason}` }
}

/** A message in the chat, and how it went. A click opens its trace. */
export const Bubble = memo((/** @type {{ said: Said, version: number, isOpen: boolean }} */ { said, isOpen }) => {
  const { message, trace } = said
  const { direction, conversationId, type, payload, payloadBeginning } = message
  const { status, words } = outcomeOf(said)
  const open = () => openTrace(trace.id, message.id)
  return html`<li
    class=${`bubble ${direction} ${isOpen ? 'open' : ''}`}
    data-type=${type}
    onClick=${(/** @type {any} */ { target }) => target.closest('a, button, audio, video') || open()}
  >
    ${
      payload === undefined
        ? html`<pre>${shortened(payloadBeginning?.text ?? '')}</pre>`
        : payloadView(type, payload, (text) => say(text, conversationId))
    }
    <button type="button" class="meta" onClick=${open} title="Open its trace">
      ${type !== 'text' && html`<span dir="auto">${type}</span>${' · '}`}<span class=${`outcome ${status}`}
        >${words}</span
      >
    </button>
  </li>`
})
