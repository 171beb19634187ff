import { html } from 'htm/preact'
import { shortened } from './shortened.js'

/** @param {unknown} url */
const isWebUrl = (url) => /^https?:\/\//i.test(String(url)) || /^data:(image|audio|video)\//i.test(String(url))

/** What is shown goes in as text, and never as HTML. @param {unknown} url @param {unknown} [words] */
const link = (url, words = url) =>
  isWebUrl(url)
    ? html`<a href=${String(url)} target="_blank" rel="noopener noreferrer">${String(words)}</a>`
    : String(words)

/** @param {'audio' | 'video'} tag @param {unknown} url */
const player = (tag, url) =>
  html`<div>
    ${isWebUrl(url) && html`<${tag} src=${String(url)} controls preload="none" aria-label=${tag} />`}
    <div>${link(url)}</div>
  </div>`

/** @param {unknown} url @param {string} words */
const picture = (url, words) =>
  isWebUrl(url) ? html`<img src=${String(url)} alt=${words} loading="lazy" />` : String(url)

/** @typedef {(text: string) => void} Say */

/** @param {string} words @param {unknown} value @param {Say} say */
const sayButton = (words, value, say) =>
  html`<button type="button" onClick=${() => say(String(value))}>${words}</button>`

/** @param {any} card @param {Say} say */
const card = ({ title, subtitle, imageUrl, actions = [] }, say) =>
  html`<div class="card">
    ${imageUrl && picture(imageUrl, `Picture of ${String(title)}`)}
    <strong dir="auto">${String(title)}</strong>
    <div dir="auto">${String(subtitle ?? '')}</div>
    ${
      actions.length > 0 &&
      html`<div class="options">
        ${actions.map((/** @type {any} */ { action, label, value }) =>
          action === 'url' ? link(value, label) : sayButton(String(label), value, say)
        )}
      </div>`
    }
  </div>`

/** @param {any} payload @param {Say} say */
const choices = ({ text, options }, say) =>
  html`<div>
    <div dir="auto">${String(text)}</div>
    <div class="options">
      ${options.map((/** @type {any} */ { label, value }) => sayButton(String(label), value, say))}
    </div>
  </div>`

/** Bold, emphasis, code and links. @param {unknown} source */
const markdown = (source) =>
  html`<div class="text" dir="auto">
    ${shortened(String(source))
      .split(/(\*\*[^*]+\*\*|_[^_]+_|`[^`]+`|\[[^\]]+\]\([^)\s]+\))/)
      .map((part) => {
        if (/^\*\*.+\*\*$/.test(part)) return html`<strong>${part.slice(2, -2)}</strong>`
        if (/^_.+_$/.test(part)) return html`<em>${part.slice(1, -1)}</em>`
        if (/^`.+`$/.test(part)) return html`<code>${part.slice(1, -1)}</code>`
        const target = part.match(/^\[([^\]]+)\]\(([^)\s]+)\)$/)
        return target ? link(target[2], target[1]) : part
      })}
  </div>`

/** @param {unknown} words */
const plainText = (words) => html`<div class="text" dir="auto">${shortened(String(words))}</div>`

/** @type {Record<string, (payload: any, say: Say) => unknown>} */
const VIEWS = {
  text: (payload) => plainText(payload.text),
  markdown: (payload) => markdown(payload.markdown),
  image: ({ imageUrl }) =>
    html`<div>
      ${picture(imageUrl, 'Picture of the message')}
      <div>${link(imageUrl)}</div>
    </div>`,
  audio: ({ audioUrl }) => player('audio', audioUrl),
  video: ({ videoUrl }) => player('video', videoUrl),
  file: ({ fileUrl, title }) => html`<div>File: ${link(fileUrl, title ?? fileUrl)}</div>`,
  location: ({ latitude, longitude, title, address }) =>
    html`<div dir="auto">${`${title ?? 'Location'}: ${address ?? ''} (${latitude}, ${longitude})`}</div>`,
  card,
  carousel: ({ items }, say) =>
    html`<div class="cards" role="group" aria-label="Cards">
      ${items.map((/** @type {any} */ item) => card(item, say))}
    </div>`,
  choice: choices,
  dropdown: choices,
  bloc: ({ items }, say) =>
    html`<div>${items.map((/** @type {any} */ { type, payload }) => payloadView(type, payload, say))}</div>`,
}

/**
 * A payload as its type has it, or what it is where it is not as its type has it.
 *
 * @param {string} type
 * @param {any} payload
 * @param {Say} say answers in the conversation of the message
 * @returns {unknown}
 */
export const payloadView = (type, payload, say) => {
  const view = Object.hasOwn(VIEWS, type) ? VIEWS[type] : undefined
  try {
    if (view) return view(payload, say)
  } catch {
    // Shown as what it is.
  }
  return html`<pre>${shortened(JSON.stringify(payload, null, 2))}</pre>`
}
