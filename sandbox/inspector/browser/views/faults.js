import { signal } from '@preact/signals'
import { useState } from 'preact/hooks'
import { html } from 'htm/preact'
import { resetFaults, setFaults } from '../model/server.js'
import { faults } from '../model/store.js'

/** @import { FaultSettings } from '../../../control/faults' */
/** @typedef {NonNullable<FaultSettings['endpoint']>} EndpointFault */

const refused = signal('')
/** What Botpress answers when it fails. */
const botpressStatus = signal(429)

/** What the endpoint can do, and how that is set. @type {Record<string, EndpointFault>} */
const ENDPOINT = {
  answers: {},
  fails: { status: 500, times: 2 },
  hangs: { hang: true, times: 2 },
  redirects: { status: 302, times: 2 },
  'closes the connection': { reset: true, times: 2 },
  'is down': { down: true },
}

/** @param {EndpointFault} fault */
const doesOf = ({ down, hang, reset, status = 0 }) => {
  if (down) return 'is down'
  if (hang) return 'hangs'
  if (reset) return 'closes the connection'
  if (status >= 400) return 'fails'
  return status > 0 ? 'redirects' : 'answers'
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

/** @param {FaultSettings} changes */
const change = (changes) => apply(setFaults({ ...faults.value, ...changes }))

/**
 * A number, which others may change too: not while it is being typed.
 *
 * @param {{ label: string, unit?: string, value: number, onChange: (value: number) => void }} props
 */
const NumberField = ({ label, unit = '', value, onChange }) => {
  const [typed, setTyped] = useState(/** @type {string | undefined} */ (undefined))
  return html`<span>
    <input
      type="number"
      class="short"
      aria-label=${label}
      value=${typed ?? value}
      onInput=${(/** @type {any} */ event) => setTyped(event.currentTarget.value)}
      onChange=${(/** @type {any} */ event) => {
        setTyped(undefined)
        if (event.currentTarget.value !== '') onChange(event.currentTarget.valueAsNumber)
      }}
      onBlur=${() => setTyped(undefined)}
    />${unit}
  </span>`
}

/**
 * @param {{ name: string, fault: EndpointFault, isAlone: boolean, onChange: (fault: EndpointFault) => void }} props
 *   `isAlone` if nothing else goes wrong, so that it has a count of its own
 */
const Delay = ({ name, fault, isAlone, onChange }) =>
  html`<span class="after">delay</span>
    <${NumberField}
      label=${`${name} delay in milliseconds`}
      unit="ms"
      value=${fault.delayMs ?? 0}
      onChange=${(/** @type {number} */ delayMs) => onChange({ times: 10, ...fault, delayMs })}
    />
    ${
      isAlone &&
      fault.delayMs !== undefined &&
      html`<${NumberField}
        label=${`${name} delay: how often`}
        unit="×"
        value=${fault.times}
        onChange=${(/** @type {number} */ times) => onChange({ ...fault, times })}
      />`
    }`

/** What goes wrong: the same in each tab. */
export const Faults = () => {
  if (!faults.value) return null
  const { endpoint = {}, botpress = {} } = faults.value
  const does = doesOf(endpoint)
  const botpressFails = botpress.status !== undefined
  const isSet = Object.keys({ ...endpoint, ...botpress }).length > 0
  const setEndpoint = (/** @type {EndpointFault} */ fault) => change({ endpoint: fault })
  const setBotpress = (/** @type {FaultSettings['botpress']} */ fault) => change({ botpress: fault })
  return html`<form
    class=${`faults ${isSet ? 'set' : ''}`}
    tabindex="-1"
    aria-label="What goes wrong"
    onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}
  >
    <strong>What goes wrong</strong>
    <fieldset>
      <legend>The endpoint</legend>
      <select
        aria-label="What the endpoint does"
        value=${does}
        onChange=${(/** @type {any} */ event) => setEndpoint(ENDPOINT[event.currentTarget.value] ?? {})}
      >
        ${Object.keys(ENDPOINT).map((name) => html`<option key=${name}>${name}</option>`)}
      </select>
      ${
        does !== 'answers' &&
        does !== 'is down' &&
        html`<${NumberField}
          label="How often the endpoint does so"
          unit="×"
          value=${endpoint.times}
          onChange=${(/** @type {number} */ times) => setEndpoint({ ...endpoint, times })}
        />`
      }
      ${
        does === 'fails' &&
        html`<${NumberField}
          label="The endpoint’s status"
          value=${endpoint.status}
          onChange=${(/** @type {number} */ status) => setEndpoint({ ...endpoint, status })}
        />`
      }
      ${does === 'is down' && html`<span>no connection, until it is switched back</span>`}
      <${Delay} name="The endpoint’s" fault=${endpoint} isAlone=${does === 'answers'} onChange=${setEndpoint} />
    </fieldset>
    <fieldset>
      <legend>Botpress</legend>
      <${NumberField}
        label="How often Botpress fails"
        unit="×"
        value=${botpressFails ? botpress.times : 0}
        onChange=${(/** @type {number} */ times) =>
          setBotpress(times > 0 ? { ...botpress, status: botpressStatus.value, times } : { delayMs: botpress.delayMs })}
      />
      <${NumberField}
        label="Botpress’s status"
        value=${botpress.status ?? botpressStatus.value}
        onChange=${(/** @type {number} */ status) => {
          botpressStatus.value = status
          if (botpressFails) setBotpress({ ...botpress, status })
        }}
      />
      <${Delay} name="Botpress’s" fault=${botpress} isAlone=${!botpressFails} onChange=${setBotpress} />
    </fieldset>
    <button type="button" disabled=${!isSet && refused.value === ''} onClick=${() => apply(resetFaults())}>
      Reset
    </button>
    ${refused.value && html`<span class="bad" role="alert">${refused.value}</span>`}
  </form>`
}
