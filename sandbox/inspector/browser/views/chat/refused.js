import { html } from 'htm/preact'
import { shortened } from './shortened.js'
import { drop, sendAgain } from './sending.js'

/** @import { Unsent } from './sending' */

/** What this page sent and was not taken, with the reason. @param {{ failed: Unsent }} props */
export const Refused = ({ failed }) => {
  const { body, kind, reason = '' } = failed
  return html`<li class="bubble incoming unsent">
    <span class="meta"
      >${kind === 'message' ? body.userId : kind} in <span dir="auto">${body.conversationId}</span>, ${body.type}</span
    >
    <div class="text" dir="auto">${shortened(body.text ?? JSON.stringify(body.payload ?? {}))}</div>
    <small class="outcome failed">not sent: ${reason}</small>
    <button type="button" onClick=${() => sendAgain(failed)}>Send again</button>
    <button type="button" onClick=${() => drop(body)}>Drop</button>
  </li>`
}
