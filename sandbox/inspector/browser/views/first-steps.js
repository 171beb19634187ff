import { effect, signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { html } from 'htm/preact'
import { copy } from './clipboard.js'
import { SNIPPETS } from '../export/snippets.js'
import { address } from '../model/address.js'
import { allSummaries } from '../model/found.js'
import { start } from '../model/store.js'
import { Chips } from './chat/chips.js'

const language = signal('curl')

/** Whether a trace has been opened. */
const hasLooked = signal(false)

effect(() => {
  if (address.trace.value !== '') hasLooked.value = true
})

const STORED = 'first-steps'

/** Whether they have been done, or dismissed. */
const isOver = signal(localStorage.getItem(STORED) === 'over')

const end = () => {
  isOver.value = true
  localStorage.setItem(STORED, 'over')
}

/** @param {{ isDone: boolean, children?: unknown, title: string }} props */
const Step = ({ isDone, title, children }) =>
  html`<li class=${isDone ? 'done' : ''}>
    <h3>
      <span class="tick" aria-hidden="true">${isDone ? '✓' : ''}</span
      >${title}${isDone && html`<span class="visually-hidden">, done</span>`}
    </h3>
    ${children}
  </li>`

/** @param {{ what: string, value: string }} props */
const Copyable = ({ what, value }) =>
  html`<p class="copyable">
    <code>${value}</code
    ><button type="button" onClick=${() => copy(value, what)} aria-label=${`Copy ${what}`}>Copy</button>
  </p>`

/** Where messages of the bot go. @param {{ endpoint?: string, ownEndpoint: boolean }} start */
const Destination = ({ endpoint, ownEndpoint }) => {
  if (endpoint === undefined)
    return html`<p>No endpoint is configured: messages of the bot wait until they are fetched.</p>`
  if (ownEndpoint)
    return html`<p>
      Each message of the bot is POSTed to an endpoint. The sandbox has one of its own, which takes everything. For
      yours: <code>npm start -- --endpoint URL</code>
    </p>`
  return html`<p>Each message of the bot is POSTed to <code>${endpoint}</code></p>`
}

/** Teaches the first message, and ticks off what has been done. It stands where no trace is open, until all is done. */
export const FirstSteps = () => {
  const requested = allSummaries.value.filter(({ direction }) => direction === 'to the bot')
  const sent = requested.filter(({ isMessage, status }) => isMessage && status !== 'refused' && status !== 'open')
  const isDelivered = sent.some(({ status }) => status === 'delivered')
  const areDone = isDelivered && hasLooked.value
  useEffect(() => {
    if (areDone) end()
  }, [areDone])
  if (!start.value) return null
  if (isOver.value)
    return html`<section class="first-steps" aria-labelledby="steps-title">
      <h2 id="steps-title">No trace is open</h2>
      <p class="quiet">Click a line of the wire, or a bubble, to see all requests of a message.</p>
      <button type="button" onClick=${() => (isOver.value = false)}>Show the first steps</button>
    </section>`
  const { webhookUrl, key, token } = start.value
  const snippet = /** @type {(typeof SNIPPETS)[string]} */ (SNIPPETS[language.value])
  const code = snippet.code({ webhookUrl, key })
  return html`<section class="first-steps" aria-labelledby="steps-title">
    <div class="title">
      <h2 id="steps-title">Your first message</h2>
      <button type="button" onClick=${end}>Dismiss</button>
    </div>
    <ol>
      <${Step} title="A backend sends messages to the webhook" isDone=${sent.length > 0}>
        <${Copyable} what="the webhook URL" value=${webhookUrl} />
        <p>It is let in with ${key === token ? 'a Personal Access Token' : 'an access key'}:</p>
        <${Copyable} what="the credential" value=${key} />
      <//>
      <${Step} title="The first request arrives" isDone=${requested.length > 0}>
        <div class="tabs" role="group" aria-label="Language">
          ${Object.keys(SNIPPETS).map(
            (name) =>
              html`<button
                key=${name}
                type="button"
                aria-pressed=${name === language.value}
                onClick=${() => (language.value = name)}
              >
                ${name}
              </button>`
          )}
        </div>
        <pre tabindex="0" aria-label=${`${language.value} that sends a message`}><code>${code}</code></pre>
        <p class="copyable">
          <span class="quiet"
            >${snippet.run ? html`Save it as ${snippet.file}, then <code>${snippet.run}</code>` : 'Paste it into a terminal.'}</span
          >
          <button type="button" onClick=${() => copy(code, 'the snippet')}>Copy the snippet</button>
        </p>
        <p>Or tell the demo bot a word:</p>
        <${Chips} />
      <//>
      <${Step} title="The bot’s reply is delivered" isDone=${isDelivered}>
        <${Destination} ...${start.value} />
        <p>
          Let the endpoint “answer 500”, at the top, send once more, and see it tried again.${' '}
          <a href="/guide#receiving-the-bots-messages" target="_blank">How to answer</a>
        </p>
        <p>
          Of a backend of yours, <code>npm run check-backend -- --endpoint URL</code> says what to mend.${' '}
          <a href="/guide#answer" target="_blank">What it looks at</a>
        </p>
      <//>
      <${Step} title="See what happened" isDone=${hasLooked.value}>
        <p>Click a line of the wire, or a bubble: all requests of a message, drawn to time.</p>
      <//>
    </ol>
    <p class="quiet"><kbd>?</kbd> shows the keys.</p>
  </section>`
}
