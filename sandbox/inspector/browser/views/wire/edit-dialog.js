import { signal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { html } from 'htm/preact'
import { repeatableHeaders } from '../../model/repeatable-headers.js'
import { repeatable, request } from '../../model/server.js'
import { start } from '../../model/store.js'
import { parsedExactly } from '../../model/exact-json.js'
import { announce } from '../announcer.js'

/** @import { SeenExchange } from '../../../wire' */

/** @type {import('@preact/signals').Signal<{ method: string, url: string, headers: string, body: string, formerId?: string } | undefined>} */
const edited = signal(undefined)

const reason = signal('')

/**
 * The body to begin with. A message gets an id of its own: under the old one, what was changed would be dropped as a repeat.
 *
 * @param {SeenExchange} exchange
 */
const bodyOf = ({ sent, requestBody = '' }) => {
  const json = parsedExactly(requestBody)
  if (typeof json !== 'object' || json === null) return requestBody
  return JSON.stringify(sent ? { ...json, messageId: crypto.randomUUID() } : json, null, 2)
}

/** Opens a request, to change it and send it. @param {SeenExchange} exchange @throws Error where not all of it is kept */
export const edit = async (exchange) => {
  const whole = await repeatable(exchange)
  reason.value = ''
  edited.value = {
    method: whole.method,
    url: whole.url,
    headers: repeatableHeaders(whole, /** @type {any} */ (start.value))
      .map(([name, value]) => `${name}: ${value}`)
      .join('\n'),
    body: bodyOf(whole),
    formerId: whole.sent?.messageId,
  }
}

/** @param {string} text @returns {[string, string][]} */
const headersIn = (text) =>
  text.split('\n').flatMap((line) => {
    const [, name, value] = line.match(/^\s*([^:\s]+)\s*:\s*(.*?)\s*$/) ?? []
    return name ? [[name, value ?? '']] : []
  })

/** A request, to change and send. */
export const EditDialog = () => {
  const dialog = /** @type {{ current: HTMLDialogElement | null }} */ (useRef(null))
  const now = edited.value
  useEffect(() => {
    if (now && !dialog.current?.open) dialog.current?.showModal()
    if (!now) dialog.current?.close()
  }, [now])
  const close = () => (edited.value = undefined)
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault()
    if (!now) return
    const { method, url, headers, body } = now
    reason.value = (await request({ method, url, headers: headersIn(headers), body: body || undefined })) ?? ''
    if (reason.value === '') {
      announce('Sent')
      close()
    }
  }
  const change = (/** @type {object} */ changes) => now && (edited.value = { ...now, ...changes })
  return html`<dialog ref=${dialog} aria-labelledby="edit-title" onClose=${close}>
    ${
      now &&
      html`<form
        onSubmit=${send}
        onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void send(event)
        }}
      >
        <h2 id="edit-title">Edit and send: ${now.method}</h2>
        <label
          >Path<input
            value=${now.url}
            onInput=${(/** @type {any} */ event) => change({ url: event.currentTarget.value })}
        /></label>
        <label
          >Headers<textarea
            rows="5"
            value=${now.headers}
            onInput=${(/** @type {any} */ event) => change({ headers: event.currentTarget.value })}
          ></textarea>
        </label>
        <label
          >Body<textarea
            autofocus
            rows="14"
            value=${now.body}
            onInput=${(/** @type {any} */ event) => change({ body: event.currentTarget.value })}
          ></textarea>
        </label>
        ${now.formerId && html`<p class="quiet">The messageId is a new one. To repeat the message, put back <code>${now.formerId}</code>.</p>`}
        ${reason.value && html`<p class="bad" role="alert">${reason.value}</p>`}
        <div class="actions">
          <button class="primary">Send it</button><button type="button" onClick=${close}>Cancel</button>
        </div>
      </form>`
    }
  </dialog>`
}
