import { useRef } from 'preact/hooks'
import { html } from 'htm/preact'
import { address } from '../../model/address.js'
import { parsedExactly } from '../../model/exact-json.js'
import { Chips } from './chips.js'
import { conversationOfForm, form, send } from './sending.js'

/** @import { Signal } from '@preact/signals' */

/** What is wrong with a payload as it is typed. @param {string} text @returns {string} nothing where it is right */
const payloadFault = (text) => {
  if (text.trim() === '') return ''
  try {
    const payload = JSON.parse(text)
    const isObject = typeof payload === 'object' && payload !== null && !Array.isArray(payload)
    return isObject ? '' : 'The payload is JSON, but not an object.'
  } catch (error) {
    return `The payload is not JSON: ${/** @type {Error} */ (error).message}`
  }
}

/** @param {{ label: string, value: Signal<string>, placeholder?: string, onInput?: (value: string) => void }} props */
const Field = ({ label, value, placeholder, onInput = (typed) => (value.value = typed) }) =>
  html`<label
    >${label}<input
      value=${value.value}
      placeholder=${placeholder}
      autocomplete="off"
      onInput=${(/** @type {any} */ event) => onInput(event.currentTarget.value)}
  /></label>`

/** Without what is empty. @template {object} T @param {T} fields @returns {T} */
const present = (fields) =>
  /** @type {T} */ (Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== '')))

/** Writes into the conversation that is chosen. */
export const Composer = () => {
  const fault = payloadFault(form.payload.value)
  const text = /** @type {{ current: HTMLInputElement | null }} */ (useRef(null))

  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault()
    if (fault !== '') return
    const { userId, id, type, payload, prefer, isRepeat, isEvent } = form
    const words = form.text.value
    const ids = { userId: userId.value, conversationId: conversationOfForm() }
    const given = payload.value.trim() === '' ? {} : { payload: parsedExactly(payload.value) }
    const sending = isEvent.value
      ? send(present({ ...ids, eventId: id.value, type: words, ...given }), { isEvent: true })
      : send(
          {
            ...ids,
            messageId: id.value,
            type: type.value,
            ...((words !== '' || !given.payload) && { text: words }),
            ...given,
          },
          { prefer: prefer.value }
        )
    form.text.value = ''
    if (!isRepeat.value) id.value = crypto.randomUUID()
    text.current?.focus()
    await sending
  }

  return html`<form
    id="composer"
    aria-label="Send a message to the bot"
    onSubmit=${submit}
    onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) submit(event)
    }}
  >
    <${Chips} />
    <div class="line">
      <select
        aria-label="What to send"
        value=${form.isEvent.value ? 'event' : 'message'}
        onChange=${(/** @type {any} */ event) => (form.isEvent.value = event.currentTarget.value === 'event')}
      >
        <option value="message">Message</option>
        <option value="event">Event</option>
      </select>
      <input
        id="composer-text"
        ref=${text}
        aria-label=${form.isEvent.value ? 'Type of the event' : 'Text'}
        placeholder=${form.isEvent.value ? 'order_paid' : `Write as ${form.userId.value} in ${conversationOfForm()}`}
        autocomplete="off"
        dir="auto"
        value=${form.text.value}
        onInput=${(/** @type {any} */ event) => (form.text.value = event.currentTarget.value)}
      />
      <button class="primary">Send</button>
    </div>
    <details>
      <summary>More</summary>
      <div class="more">
        <${Field} label="User id" value=${form.userId} />
        <${Field}
          label="Conversation id"
          value=${{ value: conversationOfForm() }}
          onInput=${(/** @type {string} */ typed) => {
            form.conversationId.value = typed
            if (address.conversation.value !== '') address.conversation.value = ''
          }}
        />
        <${Field} label=${form.isEvent.value ? 'Event id' : 'Message id'} value=${form.id} />
        ${
          !form.isEvent.value &&
          html`<${Field} label="Type" value=${form.type} />
            <${Field} label="Prefer" value=${form.prefer} placeholder="wait=10" />`
        }
        <label
          ><input
            type="checkbox"
            checked=${form.isRepeat.value}
            onChange=${(/** @type {any} */ event) => (form.isRepeat.value = event.currentTarget.checked)}
          />
          keep the id, to send the same again</label
        >
        <label class="wide"
          >Payload, JSON<textarea
            rows="2"
            placeholder="left out"
            aria-describedby="payload-fault"
            value=${form.payload.value}
            onInput=${(/** @type {any} */ event) => (form.payload.value = event.currentTarget.value)}
          ></textarea>
        </label>
        <span id="payload-fault" class="bad wide">${fault}</span>
      </div>
    </details>
  </form>`
}
