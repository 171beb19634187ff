import { useState } from 'preact/hooks'
import { html } from 'htm/preact'
import { copy } from '../clipboard.js'
import { isRaw, parsedExactly } from '../../model/exact-json.js'

/** What is longer is cut until somebody asks for all of it: JSON, which folds, and other text. */
const MAX_JSON = 20_000
const MAX_SHOWN = 4000
const MAX_TEXT = 1000
const MAX_ITEMS = 100
const OPEN_DEPTH = 3

/** @param {{ text: string }} props */
const LongText = ({ text }) => {
  const [isWhole, setWhole] = useState(false)
  if (isWhole || text.length <= MAX_TEXT) return html`<span class="string" dir="auto">${JSON.stringify(text)}</span>`
  return html`<span class="string" dir="auto">${JSON.stringify(text.slice(0, MAX_TEXT))} …</span>
    <button type="button" onClick=${() => setWhole(true)}>
      Show all ${text.length.toLocaleString('en')} characters
    </button>`
}

/** A value of JSON that folds. @param {{ name?: string, value: unknown, depth: number }} props @returns {any} */
const Json = ({ name, value, depth }) => {
  const [isOpen, setOpen] = useState(depth < OPEN_DEPTH)
  const [limit, setLimit] = useState(MAX_ITEMS)
  const label = name === undefined ? '' : html`<span class="name">${name}</span>: `
  if (typeof value === 'string') return html`<div class="json">${label}<${LongText} text=${value} /></div>`
  if (typeof value !== 'object' || value === null || isRaw(value))
    return html`<div class="json">${label}<span class="literal">${JSON.stringify(value)}</span></div>`
  const entries = Object.entries(value)
  const [begin, end] = Array.isArray(value) ? ['[', ']'] : ['{', '}']
  if (entries.length === 0) return html`<div class="json">${label}${begin}${end}</div>`
  return html`<details
    class="json"
    open=${isOpen}
    onToggle=${(/** @type {any} */ event) => {
      if (event.target === event.currentTarget) setOpen(event.currentTarget.open)
    }}
  >
    <summary>${label}${begin}${isOpen ? '' : html` … ${entries.length} ${end}`}</summary>
    ${
      isOpen &&
      html`${entries.slice(0, limit).map(([key, item]) => html`<${Json} key=${key} name=${key} value=${item} depth=${depth + 1} />`)}
        ${entries.length > limit && html`<button type="button" onClick=${() => setLimit(limit + MAX_ITEMS * 10)}>Show more of ${entries.length}</button>`}
        <div>${end}</div>`
    }
  </details>`
}

/**
 * A body, or a payload. It is made when it is looked at, and cut.
 *
 * @param {{ title: string, text: string, omitted?: number, whole: () => Promise<{ text: string, omitted?: number }> }} props
 *   `text` is its beginning where something is `omitted`
 */
export const Body = ({ title, text, omitted = 0, whole }) => {
  const [all, setAll] = useState(/** @type {string | undefined} */ (undefined))
  const [reason, setReason] = useState('')
  const isWhole = all !== undefined || (omitted === 0 && text.length <= MAX_JSON)
  const value = isWhole ? parsedExactly(all ?? text) : undefined
  const isJson = value !== undefined && typeof value === 'object'
  const shown = all ?? (isJson ? text : text.slice(0, MAX_SHOWN))
  const missing = all === undefined ? text.length + omitted - shown.length : 0
  const attempt = (/** @type {() => Promise<unknown>} */ act) => act().catch(({ message }) => setReason(message))
  const showAll = () =>
    attempt(async () => {
      const { text: everything, omitted: lost = 0 } = await whole()
      setAll(everything)
      if (lost > 0) setReason(`${lost.toLocaleString('en')} characters more are not kept.`)
    })
  return html`<div class="body">
    <h4>
      ${title}
      <button type="button" onClick=${() => attempt(async () => copy((await whole()).text, title.toLowerCase()))}>
        Copy ${value === undefined ? 'text' : 'JSON'}
      </button>
    </h4>
    ${isJson ? html`<div class="tree"><${Json} value=${value} depth=${0} /></div>` : html`<pre dir="auto">${shown}</pre>`}
    ${missing > 0 && html`<button type="button" onClick=${showAll}>Show all, ${missing.toLocaleString('en')} characters more</button>`}
    ${reason && html`<p class="bad">${reason}</p>`}
  </div>`
}
