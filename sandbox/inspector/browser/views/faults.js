import { signal } from '@preact/signals'
import { useState } from 'preact/hooks'
import { html } from 'htm/preact'
import { changeFaults, resetFaults } from '../model/server.js'
import { faults, start } from '../model/store.js'

/** @import { FaultSettings } from '../../../control/faults' */

const refused = signal('')

/** @type {FaultSettings['endpoint']['does'][]} */
const ENDPOINT = ['answers', 'fails', 'hangs', 'redirects', 'is down']

/** @param {Promise<unknown>} change */
const apply = async (change) => {
  try {
    await change
    refused.value = ''
  } catch (error) {
    refused.value = /** @type {Error} */ (error).message
  }
}

/** @param {'endpoint' | 'botpress'} part @param {object} changes */
const change = (part, changes) => apply(changeFaults({ [part]: changes }))

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

/** @param {{ of: 'endpoint' | 'botpress', name: string, settings: { delayMs: number, delayTimes: number } }} props */
const Delay = ({ of, name, settings }) =>
  html`<span class="after">delay</span>
    <${NumberField}
      label=${`${name} delay in milliseconds`}
      unit="ms"
      value=${settings.delayMs}
      onChange=${(/** @type {number} */ delayMs) => change(of, { delayMs })}
    />
    ${
      settings.delayMs > 0 &&
      html`<${NumberField}
        label=${`${name} delay: how often`}
        unit="×"
        value=${settings.delayTimes}
        onChange=${(/** @type {number} */ delayTimes) => change(of, { delayTimes })}
      />`
    }`

/** What goes wrong: the same in each tab. */
export const Faults = () => {
  const settings = faults.value
  if (!settings) return null
  const { endpoint, botpress } = settings
  const isForeign = !start.value?.ownEndpoint
  const isCounted = endpoint.does !== 'answers' && endpoint.does !== 'is down'
  const isSet = endpoint.does !== 'answers' || endpoint.delayMs > 0 || botpress.times > 0 || botpress.delayMs > 0
  return html`<form
    class=${`faults ${isSet ? 'set' : ''}`}
    tabindex="-1"
    aria-label="What goes wrong"
    onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}
  >
    <strong>What goes wrong</strong>
    <fieldset disabled=${isForeign} title=${isForeign ? 'Your own endpoint decides' : ''}>
      <legend>The endpoint</legend>
      <select
        aria-label="What the endpoint does"
        value=${endpoint.does}
        onChange=${(/** @type {any} */ event) => change('endpoint', { does: event.currentTarget.value, ...(endpoint.times === 0 && { times: 2 }) })}
      >
        ${ENDPOINT.map((does) => html`<option key=${does}>${does}</option>`)}
      </select>
      ${isCounted && html`<${NumberField} label="How often the endpoint does so" unit="×" value=${endpoint.times} onChange=${(/** @type {number} */ times) => change('endpoint', { times })} />`}
      ${
        endpoint.does === 'fails' &&
        html`<${NumberField}
          label="The endpoint’s status"
          value=${endpoint.status}
          onChange=${(/** @type {number} */ status) => change('endpoint', { status })}
        />`
      }
      ${endpoint.does === 'is down' && html`<span>503, until it is switched back</span>`}
      <${Delay} of="endpoint" name="The endpoint’s" settings=${endpoint} />
    </fieldset>
    <fieldset>
      <legend>Botpress</legend>
      <${NumberField}
        label="How often Botpress fails"
        unit="×"
        value=${botpress.times}
        onChange=${(/** @type {number} */ times) => change('botpress', { times })}
      />
      <${NumberField}
        label="Botpress’s status"
        value=${botpress.status}
        onChange=${(/** @type {number} */ status) => change('botpress', { status })}
      />
      <${Delay} of="botpress" name="Botpress’s" settings=${botpress} />
    </fieldset>
    <button type="button" disabled=${!isSet && refused.value === ''} onClick=${() => apply(resetFaults())}>
      Reset
    </button>
    ${refused.value && html`<span class="bad" role="alert">${refused.value}</span>`}
  </form>`
}
