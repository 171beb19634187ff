import { signal } from '@preact/signals'
import { html } from 'htm/preact'
import { address } from '../../model/address.js'
import { conversations, openNew } from '../../model/talk.js'

const PAGE = 100

const limit = signal(PAGE)

/** Opens a new conversation, and puts the cursor into the form. */
const begin = () => {
  openNew()
  document.getElementById('composer-text')?.focus()
}

/** Choosing one filters the chat and the wire, and sets where the form writes. */
export const Conversations = () => {
  const all = conversations.value
  const chosen = address.conversation.value
  const choose = (/** @type {string} */ id) => (address.conversation.value = id)
  return html`<nav id="conversations" tabindex="-1" aria-label="Conversations">
    <h2>Conversations</h2>
    <button type="button" onClick=${begin}>New conversation</button>
    <select
      aria-label="Conversation"
      value=${chosen}
      onChange=${(/** @type {any} */ event) => choose(event.currentTarget.value)}
    >
      <option value="">All</option>
      ${all.map(({ id, unread }) => html`<option key=${id} value=${id}>${id}${unread > 0 && ` (${unread} new)`}</option>`)}
    </select>
    <ul>
      <li><button type="button" aria-pressed=${chosen === ''} onClick=${() => choose('')}>All</button></li>
      ${all.slice(0, limit.value).map(
        ({ id, lastWords, unread, failed }) =>
          html`<li key=${id}>
            <button type="button" aria-pressed=${chosen === id} onClick=${() => choose(id)}>
              <span class="name" dir="auto">${id}</span>
              ${unread > 0 && html`<span class="pill unread">${unread} new</span>`}
              ${failed > 0 && html`<span class="pill failed">${failed} failed</span>`}
              <span class="last" dir="auto">${lastWords.slice(0, 80) || 'empty'}</span>
            </button>
          </li>`
      )}
    </ul>
    ${all.length > limit.value && html`<button type="button" onClick=${() => (limit.value += PAGE)}>Show more</button>`}
  </nav>`
}
