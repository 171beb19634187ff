import { effect, signal } from '@preact/signals'
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

/** Teaches the first message, and ticks off what has been done. It stands where no trace is open. */
export const FirstSteps = () => {
  if (!start.value) return null
  const { webhookUrl, key, token } = start.value
  const requested = allSummaries.value.filter(({ direction }) => direction === 'to the bot')
  const sent = requested.filter(({ isMessage, status }) => isMessage && status !== 'refused' && status !== 'open')
  const snippet = /** @type {(typeof SNIPPETS)[string]} */ (SNIPPETS[language.value])
  const code = snippet.code({ webhookUrl, key })
  return html`<section class="first-steps" aria-labelledby="steps-title">
    <h2 id="steps-title">Your first message</h2>
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
      <${Step} title="The bot’s reply is delivered" isDone=${sent.some(({ status }) => status === 'delivered')}>
        <p>
          Each message of the bot is POSTed to the endpoint. Choose “fails” under “What goes wrong”, send once more, and
          see it tried again. <a href="/guide#receiving-the-bots-messages" target="_blank">How to answer</a>
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
    <p class="quiet">
      Keys: <kbd>j</kbd> <kbd>k</kbd> through the list, <kbd>Enter</kbd> into it, <kbd>/</kbd> to search,${' '}
      <kbd>r</kbd> to replay, <kbd>Ctrl</kbd>+<kbd>Enter</kbd> to send, <kbd>Esc</kbd> to come back here.
    </p>
  </section>`
}
