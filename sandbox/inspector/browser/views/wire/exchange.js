import { html } from 'htm/preact'
import { wholeExchange } from '../../model/server.js'
import { isOk } from '../../model/trace.js'
import { duration } from '../in-words.js'
import { explain } from './explain.js'
import { hintsFor } from './hints.js'
import { copyAsCurl, editExchange, replayExchange } from './again.js'
import { Body } from './body.js'

/** @import { SeenExchange } from '../../../wire' */

/** @param {{ headers?: Record<string, unknown> }} props */
const Headers = ({ headers = {} }) =>
  html`<dl class="headers">
    ${Object.entries(headers).map(
      ([name, value]) =>
        html`<dt key=${name}>${name}</dt>
          <dd>${String(value)}</dd>`
    )}
  </dl>`

/** @param {{ signature: NonNullable<SeenExchange['signature']> }} props */
const Signed = ({ signature: { isVerified, signed } }) =>
  html`<p>
    <span class=${isVerified ? 'good' : 'bad'}
      >${isVerified ? '✓ signature verified' : '✗ the signature is not right'}</span
    >
    ${' '}What was signed: <code>${signed}</code>${' '}
    <a href="/guide#verify-and-drop-repeats" target="_blank">How to verify it</a>
  </p>`

/** One request and its answer. @param {{ exchange: SeenExchange }} props */
export const Exchange = ({ exchange }) => {
  const { from, to, method, url, requestHeaders, requestBody, requestBodyOmitted } = exchange
  const { status, error, durationMs, responseHeaders, responseBody, responseBodyOmitted, signature } = exchange
  const reason = explain(exchange)
  const half = async (/** @type {'requestBody' | 'responseBody'} */ which) => {
    const whole = await wholeExchange(exchange)
    return { text: whole[which] ?? '', omitted: whole[`${which}Omitted`] }
  }
  return html`<article class="exchange" aria-label=${`${from} to ${to}`}>
    <h3>
      <span class="quiet">${from} → ${to}</span> <span class="url">${method} ${url}</span> ${' '}<span
        class=${status === undefined && !error ? 'quiet' : isOk(exchange) ? 'good' : 'bad'}
        >${status ?? error ?? '…'}</span
      >
      ${durationMs !== undefined && html` <span class="took quiet">${duration(durationMs)}</span>`}
    </h3>
    <div class="actions">
      ${
        to === 'webhook' &&
        html`<button type="button" onClick=${() => replayExchange(exchange)}>Replay</button
          ><button type="button" onClick=${() => editExchange(exchange)}>Edit and send</button>`
      }
      <button type="button" onClick=${() => copyAsCurl(exchange)}>Copy as curl</button>
    </div>
    ${reason && html`<p class="reason bad">${reason.words} <a href=${`/guide#${reason.anchor}`} target="_blank">What to do</a></p>`}
    ${hintsFor(exchange).map((hint) => html`<p key=${hint} class="reason">${hint} <a href="/guide#sending-a-message-to-the-bot" target="_blank">What to send</a></p>`)}
    ${signature && html`<${Signed} signature=${signature} />`}
    <details>
      <summary>Request headers</summary>
      <${Headers} headers=${requestHeaders} />
    </details>
    ${requestBody && html`<${Body} title="Request" text=${requestBody} omitted=${requestBodyOmitted} whole=${() => half('requestBody')} />`}
    ${
      responseHeaders &&
      html`<details>
        <summary>Answer headers</summary>
        <${Headers} headers=${responseHeaders} />
      </details>`
    }
    ${responseBody && html`<${Body} title="Answer" text=${responseBody} omitted=${responseBodyOmitted} whole=${() => half('responseBody')} />`}
  </article>`
}
