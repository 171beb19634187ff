import { signal } from '@preact/signals'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { html } from 'htm/preact'
import { address } from '../../model/address.js'
import { clicked } from '../../model/pane.js'
import { rowsOf, scaleOf } from '../../model/waterfall.js'
import { isUndelivered } from '../../model/trace.js'
import { counted, duration, STATUS_WORDS } from '../in-words.js'

/** @import { Row } from '../../model/waterfall' */
/** @import { Trace } from '../../model/store' */

/** As many rows are drawn, until somebody asks for more. */
const PAGE = 100

const limit = signal(PAGE)

/** With more replies, their tries are folded. */
const MAX_UNFOLDED = 10

/** The least width of a bar, in pixels: what ends the axis is seen too. */
const BAR = 4

/** @param {number} share of the axis, from 0 to 1 */
const along = (share) => `calc(${share.toFixed(4)} * (100% - ${BAR}px))`

/** @type {Record<Row['kind'], string>} */
const WHO = { request: 'backend', call: 'Botpress', looks: 'Botpress', message: 'bot', try: 'endpoint' }

/** @param {Row} row */
const stateOf = ({ status, isOk }) => {
  if (status !== undefined) return status === 'delivered' ? 'good' : isUndelivered(status) ? 'bad' : 'open'
  return isOk === undefined ? 'open' : isOk ? 'good' : 'bad'
}

/** What is told beside its label. @param {Row} row */
const factsOf = ({ pauseMs, place }) => {
  if (pauseMs !== undefined) return `after ${duration(pauseMs)}`
  if (!place) return ''
  const tries = place.tries > 0 ? counted(place.tries, 'try', 'tries') : ''
  return [place.of > 1 && `reply ${place.number} of ${place.of}`, tries].filter(Boolean).join(' · ')
}

/** The row to begin with: what went wrong, or the reply that was searched for, or none. @param {Row[]} rows */
const firstLook = (rows) => {
  const words = address.q.value.toLowerCase()
  const isFound = (/** @type {Row} */ { kind, label }) => kind === 'message' && label.toLowerCase().includes(words)
  return rows.find(({ isOk }) => isOk === false) ?? (words === '' ? undefined : rows.find(isFound))
}

/**
 * What belongs to a trace, drawn to time. What a row stands for is shown under it, when it is chosen.
 *
 * @param {{ trace: Trace, version: number, inPlace: (row: Row) => unknown }} props `version` is another one when something
 *   is new in the trace; `inPlace` draws what a row stands for
 */
export const Waterfall = ({ trace, inPlace }) => {
  const all = rowsOf(trace)
  // What is looked at stays, whatever comes.
  const [chosen, choose] = useState(() => firstLook(all)?.key)
  const [unfolded, setUnfolded] = useState(() => new Set([firstLook(all)?.reply]))
  const list = /** @type {{ current: HTMLElement | null }} */ (useRef(null))
  const message = clicked.value.trace === trace.id ? clicked.value.message : ''
  useLayoutEffect(() => {
    const row = all.find(({ key }) => key === message)
    if (!row) return
    choose(row.key)
    setUnfolded(new Set([...unfolded, row.reply]))
  }, [message])
  useLayoutEffect(() => {
    list.current?.querySelector('[aria-expanded="true"]')?.scrollIntoView({ block: 'nearest' })
  }, [message, chosen === message])
  const isFolded = all.filter(({ kind }) => kind === 'message').length > MAX_UNFOLDED
  const open = all.filter(({ kind, reply }) => !isFolded || !reply || kind === 'message' || unfolded.has(reply))
  const rows = open.slice(0, limit.value)
  const now = trace.overAt ?? Date.now()
  const { place, breaks, ticks, durationMs } = scaleOf(all, now)

  const onChoose = (/** @type {Row} */ { key, kind, reply }) => {
    choose(key === chosen ? '' : key)
    if (kind !== 'message') return
    const others = new Set(unfolded)
    if (!others.delete(reply)) others.add(reply)
    setUnfolded(others)
  }

  return html`<div class="waterfall">
    <div class="axis" aria-hidden="true">
      <span class="track"
        >${ticks.map(({ at, ms }) => html`<span class="tick" style=${{ left: along(at) }}>${duration(ms)}</span>`)}</span
      >
    </div>
    <ol ref=${list} aria-label="What happened">
      ${rows.map((row) => {
        const { key, kind, label, startedAt, endedAt, outcome, status, pauseMs } = row
        const begin = place(startedAt)
        const state = stateOf(row)
        const pause = pauseMs === undefined ? 0 : begin - place(startedAt - pauseMs)
        const isOpen = key === chosen
        return html`<li key=${key}>
          <button type="button" class=${`step ${kind}`} aria-expanded=${isOpen} onClick=${() => onChoose(row)}>
            <span class="who">${WHO[kind]}</span>
            <span class="label" dir="auto">${label}</span>
            <span class="facts quiet">${factsOf(row)}</span>
            <span class=${`outcome ${state}`}>${status === undefined ? outcome : STATUS_WORDS[status]}</span>
            <span class="took">${endedAt === undefined ? '…' : duration(endedAt - startedAt)}</span>
            <span class="track" aria-hidden="true">
              ${pauseMs !== undefined && html`<span class="pause" style=${{ left: along(begin - pause), width: along(pause) }}></span>`}
              ${breaks.map(({ at, ms }) => html`<span class="break" title=${`${duration(ms)} left out`} style=${{ left: along(at) }}></span>`)}
              <span
                class=${`bar ${kind} ${state}`}
                style=${{ left: along(begin), width: `calc(${along(place(endedAt ?? now) - begin)} + ${BAR}px)` }}
              ></span>
            </span>
          </button>
          ${isOpen && html`<div class="in-place">${inPlace(row)}</div>`}
        </li>`
      })}
    </ol>
    ${open.length > rows.length && html`<button type="button" onClick=${() => (limit.value += PAGE)}>Show more rows (${open.length - rows.length})</button>`}
    ${breaks.length > 0 && html`<p class="quiet">${duration(durationMs)} in all; ${breaks.map(({ ms }) => duration(ms)).join(', ')} left out</p>`}
  </div>`
}
