import { html } from 'htm/preact'
import { summaries } from '../model/found.js'
import { connection } from '../model/live.js'
import { numbersOf } from '../model/numbers.js'
import { instances, restarts } from '../model/store.js'
import { clockTime, counted, duration } from './in-words.js'

/** @type {Record<string, string>} */
const CONNECTION_WORDS = {
  live: 'live',
  connecting: 'connecting again …',
  gone: 'gone: start it again with npm start',
}

const Numbers = () => {
  const { messages, p50, p95, delivered, retried, failed } = numbersOf(summaries.value)
  /** @type {[string, string | number][]} */
  const shown = [
    ['messages', messages],
    ['p50', p50 === undefined ? '–' : duration(p50)],
    ['p95', p95 === undefined ? '–' : duration(p95)],
    ['delivered', delivered],
    ['retried', retried],
    ['failed', failed],
  ]
  return html`<dl class="numbers" aria-label="Numbers">
    ${shown.map(
      ([name, value]) =>
        html`<div key=${name} class=${name === 'failed' && failed > 0 ? 'bad' : ''}>
          <dt
            title=${name === 'p50' || name === 'p95' ? 'of a round trip: from the request to the reply’s delivery' : ''}
          >
            ${name}
          </dt>
          <dd>${value.toLocaleString('en')}</dd>
        </div>`
    )}
  </dl>`
}

const Instances = () => {
  const busy = instances.value.filter(({ isBusy }) => isBusy).length
  return html`<span class="quiet">${counted(instances.value.length, 'instance')}, ${busy} at work</span>`
}

export const Header = () => {
  const restarted = restarts.value.at(-1)
  return html`<header>
    <img src="/page/icon.svg" alt="" width="24" height="24" />
    <h1>Messaging API sandbox</h1>
    <span class=${`connection ${connection.value}`}>${CONNECTION_WORDS[connection.value]}</span>
    ${restarted && html`<span class="restarted">started anew at ${clockTime(restarted)}; what was before is kept</span>`}
    <${Numbers} />
    <${Instances} />
    <a href="/guide" target="_blank">guide</a>
  </header>`
}
