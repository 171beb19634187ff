import { html } from 'htm/preact'
import { summaries } from '../model/found.js'
import { connection } from '../model/live.js'
import { numbersOf } from '../model/numbers.js'
import { instances, lastTry, restarts, start } from '../model/store.js'
import { isOk } from '../model/trace.js'
import { clockTime, counted, duration } from './in-words.js'
import { FaultsSet } from './faults.js'
import { openKeys } from './keys-dialog.js'

/** @type {Record<string, string>} */
const CONNECTION_WORDS = {
  live: 'live',
  connecting: 'connecting again …',
  gone: 'gone: start it again with npm start',
}

const ROUND_TRIP = 'from a request until the reply’s delivery, where the first try succeeded'

const Numbers = () => {
  const { sent, delivered, retrying, undelivered, waiting, refused, p50, p95 } = numbersOf(summaries.value)
  /** What each counts, told on hover; all but the first two are shown only where they are not 0. @type {[string, string | number, string][]} */
  const shown = [
    ['sent', sent, 'Messages and events of backends that the webhook took; a repeat is not counted'],
    ['delivered', delivered, 'Messages of the bot that the endpoint took, at whichever try'],
    ['p50', p50 === undefined ? 0 : duration(p50), `Half of the round trips took less: ${ROUND_TRIP}`],
    ['p95', p95 === undefined ? 0 : duration(p95), `19 of 20 round trips took less: ${ROUND_TRIP}`],
    ['waiting', waiting, 'Messages of the bot that wait to be fetched'],
    ['retrying', retrying, 'Messages of the bot that are being tried again'],
    ['not delivered', undelivered, 'Messages of the bot that were given up, or may have arrived'],
    ['refused', refused, 'Requests of backends that the webhook refused'],
  ]
  return html`<dl class="numbers" aria-label="Numbers">
    ${shown
      .filter(([name, value]) => value !== 0 || name === 'sent' || name === 'delivered')
      .map(
        ([name, value, what]) =>
          html`<div key=${name} class=${name === 'not delivered' || name === 'refused' ? 'bad' : ''} title=${what}>
            <dt>${name}</dt>
            <dd>${value.toLocaleString('en')}</dd>
          </div>`
      )}
  </dl>`
}

const Instances = () => {
  const busy = instances.value.filter(({ isBusy }) => isBusy).length
  return html`<span class="instances quiet">${counted(instances.value.length, 'instance')}, ${busy} at work</span>`
}

/** Where messages of the bot go, and how the last request ended there. */
const Endpoint = () => {
  if (!start.value) return null
  const { endpoint, ownEndpoint } = start.value
  if (endpoint === undefined) return html`<span class="endpoint">Messages wait to be fetched</span>`
  const { status, error, at = 0, durationMs = 0 } = lastTry.value ?? {}
  const isUp = lastTry.value && isOk(lastTry.value)
  const state =
    lastTry.value === undefined
      ? 'not asked yet'
      : isUp
        ? 'up'
        : status === undefined
          ? 'no answer'
          : `answers ${status}`
  return html`<span
    class="endpoint"
    title=${`Where messages of the bot go, and how the last request ended there${error ? `: ${error}` : ''}`}
  >
    Endpoint <code>${ownEndpoint ? 'the sandbox’s own' : endpoint}</code>${' '}<span
      class=${lastTry.value === undefined || connection.value !== 'live' ? 'quiet' : isUp ? 'good' : 'bad'}
      >${state}${lastTry.value && ` at ${clockTime(at + durationMs)}`}</span
    >
  </span>`
}

export const Header = () => {
  const restarted = restarts.value.at(-1)
  return html`<header>
    <img src="/page/icon.svg" alt="" width="24" height="24" />
    <h1>Sandbox</h1>
    <span class=${`connection ${connection.value}`}>${CONNECTION_WORDS[connection.value]}</span>
    ${restarted && html`<span class="restarted">started anew at ${clockTime(restarted)}; what was before is kept</span>`}
    <${Endpoint} />
    <${FaultsSet} />
    <${Numbers} />
    <${Instances} />
    <button type="button" onClick=${openKeys} aria-label="Keys" title="Keys ( ? )">?</button>
    <a href="/guide" target="_blank">guide</a>
  </header>`
}
