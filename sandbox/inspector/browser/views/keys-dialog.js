import { html } from 'htm/preact'

const ID = 'keys'

/** @type {[string, string][]} */
const KEYS = [
  ['j, k', 'the next and the previous line of the wire'],
  ['Enter', 'into the open trace'],
  ['Esc', 'back to the list'],
  ['/', 'search'],
  ['m', 'write a message'],
  ['r', 'replay the request of the open trace'],
  ['Ctrl+Enter', 'send what is in the form'],
  ['?', 'this list'],
]

export const openKeys = () => /** @type {HTMLDialogElement} */ (document.getElementById(ID)).showModal()

/** The list of keys. */
export const KeysDialog = () =>
  html`<dialog id=${ID} aria-labelledby="keys-title">
    <form method="dialog">
      <h2 id="keys-title">Keys</h2>
      <dl class="headers">
        ${KEYS.map(
          ([key, what]) =>
            html`<dt key=${key}><kbd>${key}</kbd></dt>
              <dd>${what}</dd>`
        )}
      </dl>
      <button class="primary">Close</button>
    </form>
  </dialog>`
