import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { html } from 'htm/preact'
import { address } from '../../model/address.js'
import { wholePayload } from '../../model/server.js'
import { isOfThisRun, traces, version as latest } from '../../model/store.js'
import { exchangesOf, isUndelivered, messagesOf, statusOfMessage, storyOf, summaryOf } from '../../model/trace.js'
import { rowsOf } from '../../model/waterfall.js'
import { STATUS_WORDS } from '../in-words.js'
import { downloadHar, failure, redeliverMessage } from './again.js'
import { Body } from './body.js'
import { Exchange } from './exchange.js'
import { Waterfall } from './waterfall.js'

/** @import { SeenMessage } from '../../../wire' */
/** @import { Trace } from '../../model/store' */

/** The looks of a row that are shown, until somebody asks for more. */
const PAGE = 20

/** Not while it is on its way, and not where the sandbox that had it is gone. @param {SeenMessage} message @param {Trace} trace */
const mayBeRedelivered = (message, trace) =>
  isOfThisRun(message.id) && !['open', 'retrying'].includes(statusOfMessage(trace, message))

/** @param {{ message: SeenMessage, trace: Trace }} props */
const BotMessage = ({ message, trace }) => {
  const { type, payload, payloadBeginning, delivery } = message
  const status = statusOfMessage(trace, message)
  const text = payload === undefined ? (payloadBeginning?.text ?? '') : JSON.stringify(payload)
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
  </article>`
}

/** Whether the detail gets the focus as soon as it is there. */
let wantsFocus = false

/** Puts the focus on the detail, also where it is about to be drawn. */
export const focusDetail = () => {
  wantsFocus = true
  const detail = document.getElementById('detail')
  if (!detail) return
  wantsFocus = false
  detail.focus()
}

/** The open trace, or that there is none any more. */
export const Detail = () => {
  void latest.value
  const id = address.trace.value
  const trace = traces.get(id)
  const section = /** @type {{ current: HTMLElement | null }} */ (useRef(null))
  useLayoutEffect(() => {
    if (wantsFocus) section.current?.focus()
    wantsFocus = false
  }, [])
  return html`<section id="detail" ref=${section} tabindex="-1" aria-labelledby="detail-title">
    <button type="button" class="close" aria-label="Close" onClick=${() => (address.trace.value = '')}>×</button>
    ${
      trace
        ? html`<${OpenTrace} key=${id} trace=${trace} version=${trace.version} />`
        : html`<h2 id="detail-title">It is no longer kept</h2>
            <p class="quiet">The sandbox keeps the last 2,000 requests, until it is ended.</p>`
    }
  </section>`
}

/** @param {{ trace: Trace, version: number }} props `version` is another one when something is new in it */
const OpenTrace = ({ trace, version }) => {
  const { title, status, reason, startedAt } = summaryOf(trace)
  const rows = rowsOf(trace)
  // What is looked at stays, whatever comes.
  const [chosen, choose] = useState(() => (rows.find(({ isOk }) => isOk === false) ?? rows[0])?.key)
  const [looks, setLooks] = useState(PAGE)
  const row = rows.find(({ key }) => key === chosen) ?? rows[0]
  const exchanges = row?.exchanges ?? []
  const replies = messagesOf(trace).filter(({ direction }) => direction === 'outgoing')
  const stories = replies.map((message) => storyOf(trace, message)).filter((story) => story !== '')
  const { trace: failedIn, words } = failure.value
  return html`
    <h2 id="detail-title" dir="auto">${title || '(no text)'}</h2>
    <p>
      <span class=${`pill ${status}`}>${STATUS_WORDS[status]}</span>
      <span class="quiet">${new Date(startedAt).toLocaleString()}</span>
    </p>
    ${stories.length > 0 && html`<p>The endpoint answered ${stories.join('; ')}.</p>`}
    ${reason && html`<p class="reason bad">${reason} <a href=${`/guide#${status === 'refused' ? 'errors' : 'catch-up'}`} target="_blank">What to do</a></p>`}
    <div class="actions">
      ${replies.length === 1 && replies.map((message) => html`<button key=${message.id} type="button" disabled=${!mayBeRedelivered(message, trace)} onClick=${() => redeliverMessage(message)}>Redeliver the reply</button>`)}
      <button type="button" onClick=${() => downloadHar(trace)}>Download as HAR</button>
    </div>
    ${words !== '' && failedIn === trace.id && html`<p class="bad">${words}</p>`}
    <${Waterfall} trace=${trace} version=${version} chosen=${row?.key ?? ''} onChoose=${choose} />
    ${row?.message && html`<${BotMessage} key=${row.key} message=${row.message} trace=${trace} />`}
    ${exchanges.slice(0, looks).map((exchange) => html`<${Exchange} key=${exchange.id} exchange=${exchange} />`)}
    ${exchanges.length > looks && html`<button type="button" onClick=${() => setLooks(looks + PAGE)}>Show more of ${exchanges.length} looks</button>`}
    ${exchangesOf(trace).length === 0 && html`<p class="quiet">Its requests are no longer kept.</p>`}
  `
}
