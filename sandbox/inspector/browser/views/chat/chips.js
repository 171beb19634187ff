import { html } from 'htm/preact'
import { say } from './sending.js'

/** Words that the demo bot knows. */
const WORDS = ['card', 'carousel', 'burst 40', 'silent']

/** Sends the demo bot a word. */
export const Chips = () =>
  html`<div class="chips" role="group" aria-label="Try">
    ${WORDS.map((word) => html`<button key=${word} type="button" onClick=${() => say(word)}>${word}</button>`)}
  </div>`
