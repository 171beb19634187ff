import { signal } from '@preact/signals'
import { html } from 'htm/preact'
import { rowsOf, scaleOf } from '../../model/waterfall.js'
import { duration } from '../in-words.js'

/** @import { Row } from '../../model/waterfall' */
/** @import { Trace } from '../../model/store' */

/** As many rows are drawn, until somebody asks for more. */
const PAGE = 100

const limit = signal(PAGE)

/** The least width of a bar, in pixels: what ends the axis is seen too. */
const BAR = 4

/** @param {number} share of the axis, from 0 to 1 */
const along = (share) => `calc(${share.toFixed(4)} * (100% - ${BAR}px))`

/** @type {Record<Row['kind'], string>} */
const WHO = { request: 'backend', call: 'Botpress', looks: 'Botpress', message: 'bot', try: 'endpoint' }

/**
 * What belongs to a trace, drawn to time. A row is chosen to see its requests.
 *
 * @param {{ trace: Trace, version: number, chosen: string, onChoose: (key: string) => void }} props `version` is
 *   another one when something is new in the trace
 */
export const Waterfall = ({ trace, chosen, onChoose }) => {
  const all = rowsOf(trace)
  const rows = all.slice(-limit.value)
  const now = trace.overAt ?? Date.now()
  const { place, breaks, durationMs } = scaleOf(rows, now)
  return html`<div class="waterfall">
    ${all.length > rows.length && html`<button type="button" onClick=${() => (limit.value += PAGE)}>Show earlier rows (${all.length - rows.length})</button>`}
    <ol aria-label="What happened, in order of time">
      ${rows.map(({ key, kind, label, startedAt, endedAt, isOk, outcome, pauseMs }) => {
        const begin = place(startedAt)
        const state = kind === 'message' ? 'message' : isOk === undefined ? 'open' : isOk ? 'good' : 'bad'
        const pause = pauseMs === undefined ? 0 : begin - place(startedAt - pauseMs)
        return html`<li key=${key}>
          <button type="button" class=${`step ${kind}`} aria-pressed=${key === chosen} onClick=${() => onChoose(key)}>
            <span class="who">${WHO[kind]}</span>
            <span class="label" dir="auto"
              >${label}${pauseMs !== undefined && html`<span class="quiet">${` after ${duration(pauseMs)}`}</span>`}</span
            >
            <span class=${`outcome ${state}`}>${outcome}</span>
            <span class="took"
              >${kind === 'message' ? '' : endedAt === undefined ? '…' : duration(endedAt - startedAt)}</span
            >
            <span class="track" aria-hidden="true">
              ${pauseMs !== undefined && html`<span class="pause" style=${{ left: along(begin - pause), width: along(pause) }}></span>`}
              ${breaks.map(({ at, ms }) => html`<span class="break" title=${`${duration(ms)} left out`} style=${{ left: along(at) }}></span>`)}
              <span
                class=${`bar ${state}`}
                style=${{ left: along(begin), width: `calc(${along(place(endedAt ?? now) - begin)} + ${BAR}px)` }}
              ></span>
            </span>
          </button>
        </li>`
      })}
    </ol>
    <p class="quiet">
      ${duration(durationMs)} in
      all${breaks.length > 0 ? `; ${breaks.map(({ ms }) => duration(ms)).join(', ')} left out` : ''}
    </p>
  </div>`
}
