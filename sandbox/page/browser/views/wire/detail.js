import { signal } from '@preact/signals'
import { html } from 'htm/preact'
import { address } from '../../model/address.js'
import { wholePayload } from '../../model/server.js'
import { isOfThisRun, traces, version } from '../../model/store.js'
import { exchangesOf, messagesOf, statusOfMessage, STATUS_WORDS, summaryOf } from '../../model/trace.js'
import { rowsOf } from '../../model/waterfall.js'
import { downloadHar, failure, redeliverMessage } from './again.js'
import { Body } from './body.js'
import { Exchange } from './exchange.js'
import { Waterfall } from './waterfall.js'

/** @import { SeenMessage } from '../../../wire' */
/** @import { Trace } from '../../model/store' */

/** The row that is chosen, of whichever trace. */
const chosen = signal('')

/** @param {{ message: SeenMessage, trace: Trace }} props */
const BotMessage = ({ message, trace }) => {
  const { type, payload, payloadBeginning, delivery } = message
  const status = statusOfMessage(trace, message)
  const text = payload === undefined ? (payloadBeginning?.text ?? '') : JSON.stringify(payload)
  return html`<article class="exchange" aria-label="A message of the bot">
    <h3><span class="quiet">the bot</span> ${type} <span class=${`pill ${status}`}>${STATUS_WORDS[status]}</span></h3>
    <div class="actions">
      <button type="button" disabled=${!isOfThisRun(message.id)} onClick=${() => redeliverMessage(message)}>
        Redeliver
      </button>
    </div>
    ${delivery?.error && html`<p class="reason bad">${delivery.error} <a href="/guide#catch-up" target="_blank">What to do</a></p>`}
    <${Body}
      title="Payload"
      text=${text}
      omitted=${payloadBeginning?.omitted}
      whole=${async () => JSON.stringify(await wholePayload(message), null, 2)}
    />
  </article>`
}

/** All of one trace. */
export const Detail = () => {
  void version.value
  const trace = traces.get(address.trace.value)
  const close = html`<button type="button" class="close" aria-label="Close" onClick=${() => (address.trace.value = '')}>
    ×
  </button>`
  if (!trace) {
    return html`<section id="detail" tabindex="-1" aria-labelledby="detail-title">
      ${close}
      <h2 id="detail-title">It is no longer kept</h2>
      <p class="quiet">The sandbox keeps the last 2,000 requests, until it is ended.</p>
    </section>`
  }
  const { title, status, reason, startedAt } = summaryOf(trace)
  const rows = rowsOf(trace)
  const row = rows.find(({ key }) => key === chosen.value) ?? rows.find(({ isOk }) => isOk === false) ?? rows[0]
  const replies = messagesOf(trace).filter(({ direction }) => direction === 'outgoing')
  return html`<section id="detail" tabindex="-1" aria-labelledby="detail-title">
    ${close}
    <h2 id="detail-title" dir="auto">${title || '(no text)'}</h2>
    <p>
      <span class=${`pill ${status}`}>${STATUS_WORDS[status]}</span>
      <span class="quiet">${new Date(startedAt).toLocaleString()}</span>
    </p>
    ${reason && html`<p class="reason bad">${reason} <a href=${`/guide#${status === 'refused' ? 'errors' : 'catch-up'}`} target="_blank">What to do</a></p>`}
    <div class="actions">
      ${replies.length === 1 && replies.map((message) => html`<button key=${message.id} type="button" disabled=${!isOfThisRun(message.id)} onClick=${() => redeliverMessage(message)}>Redeliver the reply</button>`)}
      <button type="button" onClick=${() => downloadHar(trace)}>Download as HAR</button>
    </div>
    ${failure.value && html`<p class="bad">${failure.value}</p>`}
    <${Waterfall}
      trace=${trace}
      chosen=${row?.key ?? ''}
      onChoose=${(/** @type {string} */ key) => (chosen.value = key)}
    />
    ${row?.message && html`<${BotMessage} key=${row.key} message=${row.message} trace=${trace} />`}
    ${(row?.exchanges ?? []).slice(0, 20).map((exchange) => html`<${Exchange} key=${exchange.id} exchange=${exchange} />`)}
    ${exchangesOf(trace).length === 0 && html`<p class="quiet">Its requests are no longer kept.</p>`}
  </section>`
}
