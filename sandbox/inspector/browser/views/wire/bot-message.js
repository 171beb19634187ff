import { html } from 'htm/preact'
import { parsedExactly } from '../../model/exact-json.js'
import { wholePayload } from '../../model/server.js'
import { isOfThisRun } from '../../model/store.js'
import { isUndelivered, statusOfMessage, triesOf } from '../../model/trace.js'
import { STATUS_WORDS } from '../in-words.js'
import { redeliverMessage } from './again.js'
import { Body } from './body.js'

/** @import { SeenMessage } from '../../../wire' */
/** @import { Trace } from '../../model/store' */

/** Not while it is on its way, and not where the sandbox that had it is gone. @param {SeenMessage} message @param {Trace} trace */
export const mayBeRedelivered = (message, trace) =>
  isOfThisRun(message.id) && !['open', 'retrying'].includes(statusOfMessage(trace, message))

/** What plain text made of a message: the text that went out in its place. @param {Trace} trace @param {SeenMessage} message */
const plainTextOf = (trace, message) => {
  const [first] = triesOf(trace, message)
  const sent = first && parsedExactly(first.requestBody)
  return sent?.type === 'text' && message.type !== 'text' ? String(sent.payload?.text) : undefined
}

/** A message of the bot, as it sent it. @param {{ message: SeenMessage, trace: Trace }} props */
export const BotMessage = ({ message, trace }) => {
  const { type, payload, payloadBeginning, delivery } = message
  const status = statusOfMessage(trace, message)
  const text = payload === undefined ? (payloadBeginning?.text ?? '') : JSON.stringify(payload)
  const plainText = plainTextOf(trace, message)
  return html`<article class="exchange" aria-label="A message of the bot">
    <h3><span class="quiet">the bot</span> ${type} <span class=${`pill ${status}`}>${STATUS_WORDS[status]}</span></h3>
    <div class="actions">
      <button type="button" disabled=${!mayBeRedelivered(message, trace)} onClick=${() => redeliverMessage(message)}>
        Redeliver
      </button>
    </div>
    ${isUndelivered(status) && delivery?.error && html`<p class="reason bad">${delivery.error} <a href="/guide#catch-up" target="_blank">What to do</a></p>`}
    <${Body}
      title="Payload"
      text=${text}
      omitted=${payloadBeginning?.omitted}
      whole=${async () => ({ text: JSON.stringify(await wholePayload(message), null, 2) })}
    />
    ${
      plainText !== undefined &&
      html`<h4>What plain text made of it</h4>
        <pre dir="auto">${plainText}</pre>`
    }
  </article>`
}
