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
  const kind = form.kind.value
  const field = /** @type {{ current: HTMLInputElement | null }} */ (useRef(null))

  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault()
    if (fault !== '') return
    const { userId, id, type, payload, prefer, isRepeat } = form
    const words = form.text.value
    const conversationId = conversationOfForm()
    const given = payload.value.trim() === '' ? {} : { payload: parsedExactly(payload.value) }
    const text = words !== '' || !given.payload ? { text: words } : {}
    const bodies = {
      message: { userId: userId.value, conversationId, messageId: id.value, type: type.value, ...text, ...given },
      event: present({ userId: userId.value, conversationId, eventId: id.value, type: words, ...given }),
      bot: { conversationId, type: type.value, ...(given.payload ? given : text) },
    }
    const sending = send(bodies[kind], { kind, prefer: prefer.value })
    form.text.value = ''
    if (!isRepeat.value) id.value = crypto.randomUUID()
    field.current?.focus()
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
      <input
        id="composer-text"
        ref=${field}
        aria-label=${kind === 'event' ? 'Type of the event' : 'Text'}
        required=${kind === 'event'}
        placeholder=${kind === 'event' ? 'Type, such as order_paid' : `Write as ${kind === 'bot' ? 'the bot' : form.userId.value} in ${conversationOfForm()}`}
        autocomplete="off"
        dir="auto"
        value=${form.text.value}
        onInput=${(/** @type {any} */ event) => (form.text.value = event.currentTarget.value)}
      />
      <select
        aria-label="What to send"
        value=${kind}
        onChange=${(/** @type {any} */ event) => (form.kind.value = event.currentTarget.value)}
      >
        <option value="message">Message</option>
        <option value="event">Event</option>
        <option value="bot">As the bot</option>
      </select>
      <button class="primary">Send</button>
    </div>
    <details>
      <summary>More</summary>
      <div class="more">
        ${kind !== 'bot' && html`<${Field} label="User id" value=${form.userId} />`}
        <${Field}
          label="Conversation id"
          value=${{ value: conversationOfForm() }}
          onInput=${(/** @type {string} */ typed) => {
            form.conversationId.value = typed
            if (address.conversation.value !== '') address.conversation.value = ''
          }}
        />
        ${kind !== 'event' && html`<${Field} label="Type" value=${form.type} />`}
        ${kind === 'message' && html`<${Field} label="Prefer" value=${form.prefer} placeholder="wait=10" />`}
        ${
          kind !== 'bot' &&
          html`<${Field} label=${kind === 'event' ? 'Event id' : 'Message id'} value=${form.id} />
            <label
              ><input
                type="checkbox"
                checked=${form.isRepeat.value}
                onChange=${(/** @type {any} */ event) => (form.isRepeat.value = event.currentTarget.checked)}
              />
              keep the id, to send the same again</label
            >`
        }
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
