import { signal } from '@preact/signals'
import { html } from 'htm/preact'

const said = signal({ words: '', number: 0 })

/** Says something once to those who listen rather than look. @param {string} words */
export const announce = (words) => (said.value = { words, number: said.peek().number + 1 })

/** The one live region. The same words are said once more: in an element of their own. */
export const Announcer = () =>
  html`<p class="visually-hidden" role="status"><span key=${said.value.number}>${said.value.words}</span></p>`
