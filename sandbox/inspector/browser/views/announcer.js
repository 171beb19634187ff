import { signal } from '@preact/signals'
import { html } from 'htm/preact'

/** As many stay, so that of two in one moment both are heard. */
const KEPT = 3

/** @type {import('@preact/signals').Signal<{ words: string, number: number }[]>} */
const said = signal([])

let count = 0

/** Says something once to those who listen rather than look. @param {string} words */
export const announce = (words) => {
  said.value = [...said.peek(), { words, number: ++count }].slice(-KEPT)
}

/** The one live region. What is said is added to it, also where it is the same words once more. */
export const Announcer = () =>
  html`<div class="visually-hidden" role="status" aria-atomic="false">
    ${said.value.map(({ words, number }) => html`<p key=${number}>${words}</p>`)}
  </div>`
