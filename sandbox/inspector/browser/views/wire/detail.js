import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { html } from 'htm/preact'
import { address } from '../../model/address.js'
import { traces, version as latest } from '../../model/store.js'
import { exchangesOf, messagesOf, storyOf, summaryOf } from '../../model/trace.js'
import { counted, duration, STATUS_WORDS } from '../in-words.js'
import { downloadHar, failure, redeliverMessage } from './again.js'
import { BotMessage, mayBeRedelivered } from './bot-message.js'
import { Exchange } from './exchange.js'
import { Waterfall } from './waterfall.js'

/** @import { Row } from '../../model/waterfall' */
/** @import { Trace } from '../../model/store' */

/** The looks of a row that are shown, until somebody asks for more. */
const PAGE = 20

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
    ${
      trace
        ? html`<${OpenTrace} key=${id} trace=${trace} version=${trace.version} />`
        : html`<div class="summary">
              <h2 id="detail-title">It is no longer kept</h2>
              <${Close} />
            </div>
            <p class="quiet">The sandbox keeps the last 2,000 requests, until it is ended.</p>`
    }
  </section>`
}

const Close = () =>
  html`<button type="button" class="close" aria-label="Close" onClick=${() => (address.trace.value = '')}>×</button>`

/** What a row stands for. @param {{ row: Row, trace: Trace }} props */
const InPlace = ({ row, trace }) => {
  const [looks, setLooks] = useState(PAGE)
  const { message, exchanges } = row
  return html`
    ${message && html`<${BotMessage} message=${message} trace=${trace} />`}
    ${exchanges.slice(0, looks).map((exchange) => html`<${Exchange} key=${exchange.id} exchange=${exchange} />`)}
    ${exchanges.length > looks && html`<button type="button" onClick=${() => setLooks(looks + PAGE)}>Show more of ${exchanges.length} looks</button>`}
  `
}

/** @param {{ trace: Trace, version: number }} props `version` is another one when something is new in it */
const OpenTrace = ({ trace, version }) => {
  const { title, status, reason, startedAt, direction, replies, tries, isRedelivered, durationMs } = summaryOf(trace)
  const messages = messagesOf(trace).filter((message) => message.direction === 'outgoing')
  const stories = messages.map((message) => storyOf(trace, message)).filter((story) => story !== '')
  const { trace: failedIn, words } = failure.value
  const facts = [
    new Date(startedAt).toLocaleString(),
    replies.length > 0 && direction === 'to the bot' && counted(replies.length, 'reply', 'replies'),
    tries > 0 && counted(tries, 'try', 'tries'),
    isRedelivered && 'redelivered',
    durationMs !== undefined && duration(durationMs),
  ]
  return html`
    <div class="summary">
      <h2 id="detail-title" dir="auto">${title || '(no text)'}</h2>
      <span class=${`pill ${status}`}>${STATUS_WORDS[status]}</span>
      <${Close} />
      <span class="facts quiet">${facts.filter(Boolean).join(' · ')}</span>
    </div>
    ${stories.length > 0 && html`<p>The endpoint’s answers: ${stories.join('; ')}.</p>`}
    ${reason && html`<p class="reason bad">${reason} <a href=${`/guide#${status === 'refused' ? 'errors' : 'catch-up'}`} target="_blank">What to do</a></p>`}
    ${status === 'failed' && html`<p>It comes by itself with one of the next messages, at the latest five minutes later, or at once when you redeliver it.</p>`}
    <div class="actions">
      ${messages.length === 1 && messages.map((message) => html`<button key=${message.id} type="button" disabled=${!mayBeRedelivered(message, trace)} onClick=${() => redeliverMessage(message)}>Redeliver the reply</button>`)}
      <button type="button" onClick=${() => downloadHar(trace)}>Download as HAR</button>
    </div>
    ${words !== '' && failedIn === trace.id && html`<p class="bad">${words}</p>`}
    <${Waterfall}
      trace=${trace}
      version=${version}
      inPlace=${(/** @type {Row} */ row) => html`<${InPlace} key=${row.key} row=${row} trace=${trace} />`}
    />
    ${exchangesOf(trace).length === 0 && html`<p class="quiet">Its requests are no longer kept.</p>`}
  `
}
