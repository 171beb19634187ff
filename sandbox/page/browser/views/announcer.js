import { signal } from '@preact/signals'
import { html } from 'htm/preact'

const words = signal('')

/** Says something once to those who listen rather than look. @param {string} what */
export const announce = (what) => (words.value = what)

/** The one live region. */
export const Announcer = () => html`<p class="visually-hidden" role="status">${words.value}</p>`
