import { signal } from '@preact/signals'
import { useState } from 'preact/hooks'
import { html } from 'htm/preact'
import { resetFaults, setFaults } from '../model/server.js'
import { faultChanges, faults } from '../model/store.js'

/** @import { FaultSettings } from '../../../control/faults' */
/** @typedef {NonNullable<FaultSettings['endpoint']>} EndpointFault */
/** @typedef {NonNullable<FaultSettings['botpress']>} BotpressFault */

const refused = signal('')

/** What the endpoint can do instead, and how that is set. @type {Record<string, EndpointFault>} */
const ENDPOINT = {
  normal: {},
  answer: { status: 500, times: 2 },
  'answer late': { delayMs: 5000, times: 2 },
  hang: { hang: true, times: 2 },
  'close the connection': { reset: true, times: 2 },
  'be down': { down: true },
}

/** @param {EndpointFault} fault */
const ofEndpoint = ({ down, hang, reset, status, delayMs }) => {
  if (down) return 'be down'
  if (hang) return 'hang'
  if (reset) return 'close the connection'
  if (status !== undefined) return 'answer'
  return delayMs === undefined ? 'normal' : 'answer late'
}

/** What Botpress can do instead. @type {Record<string, BotpressFault>} */
const BOTPRESS = {
  normal: {},
  'rate-limit': { status: 429, times: 3 },
  answer: { status: 502, times: 3 },
  'answer late': { delayMs: 2000, times: 10 },
}

/** @param {BotpressFault} fault */
const ofBotpress = ({ status, delayMs }) => {
  if (status !== undefined) return status === 429 ? 'rate-limit' : 'answer'
  return delayMs === undefined ? 'normal' : 'answer late'
}

/** @param {Promise<unknown>} change */
const apply = async (change) => {
  try {
    await change
    refused.value = ''
  } catch (error) {
    refused.value = /** @type {Error} */ (error).message
  }
}

let lastChange = Promise.resolve()

/**
 * Shows a change at once, so that the next builds on it, and sends it after those before.
 *
 * @param {FaultSettings} after
 * @param {() => Promise<FaultSettings>} send
 */
const change = (after, send) => {
  const before = faults.value
  faults.value = after
  faultChanges.value++
  const sent = lastChange.then(send)
  lastChange = sent.then(
    (answer) => ended(after, answer),
    () => ended(after, before)
  )
  return apply(sent)
}

/** @param {FaultSettings} shown @param {FaultSettings | undefined} settings those that hold now */
const ended = (shown, settings) => {
  faultChanges.value--
  if (faults.value === shown) faults.value = settings
}

/** @param {FaultSettings} changes */
const set = (changes) => {
  const after = { ...faults.value, ...changes }
  return change(after, () => setFaults(after))
}

/**
 * A number, which others may change too: not while it is being typed.
 *
 * @param {{ label: string, value?: number, onChange: (value: number) => void }} props
 */
const NumberField = ({ label, value, onChange }) => {
  const [typed, setTyped] = useState(/** @type {string | undefined} */ (undefined))
  return html`<input
    type="number"
    aria-label=${label}
    placeholder="all"
    value=${typed ?? value}
    onInput=${(/** @type {any} */ event) => setTyped(event.currentTarget.value)}
    onChange=${(/** @type {any} */ event) => {
      setTyped(undefined)
      if (event.currentTarget.value !== '') onChange(event.currentTarget.valueAsNumber)
    }}
    onBlur=${() => setTyped(undefined)}
  />`
}

/**
 * A sentence: who does what, with what, how often.
 *
 * @param {{
 *   who: string
 *   does: string
 *   choices: Record<string, EndpointFault>
 *   fault: EndpointFault
 *   onChange: (fault: EndpointFault) => void
 * }} props
 */
const Sentence = ({ who, does, choices, fault, onChange }) =>
  html`<fieldset>
    <legend class="visually-hidden">${who}</legend>
    <span>${who}:</span>
    <select
      aria-label=${`What ${who} does`}
      value=${does}
      onChange=${(/** @type {any} */ event) => onChange(choices[event.currentTarget.value] ?? {})}
    >
      ${Object.keys(choices).map((name) => html`<option key=${name}>${name}</option>`)}
    </select>
    ${
      does === 'answer' &&
      html`<${NumberField}
        label=${`Status of ${who}`}
        value=${fault.status}
        onChange=${(/** @type {number} */ status) => onChange({ ...fault, status })}
      />`
    }
    ${
      fault.delayMs !== undefined &&
      html`<span>by</span
        ><${NumberField}
          label=${`Delay of ${who} in milliseconds`}
          value=${fault.delayMs}
          onChange=${(/** @type {number} */ delayMs) => onChange({ ...fault, delayMs })}
        /><span>ms</span>`
    }
    ${
      does !== 'normal' &&
      does !== 'be down' &&
      html`<span>${does === 'rate-limit' ? 'the next' : 'for the next'}</span
        ><${NumberField}
          label=${`How often ${who} does so`}
          value=${fault.times}
          onChange=${(/** @type {number} */ times) => onChange({ ...fault, times })}
        /><span>requests</span>`
    }
  </fieldset>`

/** What goes wrong, with any endpoint: the same in each tab. */
export const Faults = () => {
  if (!faults.value) return null
  const { endpoint = {}, botpress = {} } = faults.value
  return html`<form
    class="faults"
    tabindex="-1"
    aria-label="What goes wrong"
    onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}
  >
    <${Sentence}
      who="Endpoint"
      does=${ofEndpoint(endpoint)}
      choices=${ENDPOINT}
      fault=${endpoint}
      onChange=${(/** @type {EndpointFault} */ fault) => set({ endpoint: fault })}
    />
    <${Sentence}
      who="Botpress"
      does=${ofBotpress(botpress)}
      choices=${BOTPRESS}
      fault=${botpress}
      onChange=${(/** @type {BotpressFault} */ fault) => set({ botpress: fault })}
    />
    ${refused.value && html`<span class="bad" role="alert">${refused.value}</span>`}
  </form>`
}

/** @param {string} who @param {string} does @param {EndpointFault} fault */
const toldOf = (who, does, { status, delayMs, times }) =>
  `${who}: ${does}${does === 'answer' ? ` ${status}` : ''}${delayMs === undefined ? '' : ` by ${delayMs} ms`}${times === undefined ? '' : `, ${times} more`}`

/** In the header: that something is set to go wrong, and a button that ends it. */
export const FaultsSet = () => {
  const { endpoint = {}, botpress = {} } = faults.value ?? {}
  /** @type {[string, string, EndpointFault][]} */
  const all = [
    ['Endpoint', ofEndpoint(endpoint), endpoint],
    ['Botpress', ofBotpress(botpress), botpress],
  ]
  const told = all.filter(([, does]) => does !== 'normal').map(([who, does, fault]) => toldOf(who, does, fault))
  if (told.length === 0) return null
  return html`<span class="faults-set" role="group" aria-label="Set to go wrong"
    >${told.join('; ')}<button type="button" onClick=${() => change({}, resetFaults)}>Stop</button></span
  >`
}
