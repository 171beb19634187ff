import { signal } from '@preact/signals'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { html } from 'htm/preact'
import { address } from '../../model/address.js'
import { openTrace } from '../../model/pane.js'
import { listed, scrolledAt, summaries } from '../../model/found.js'
import { clockTime, counted, cutInTheMiddle, duration, STATUS_WORDS } from '../in-words.js'
import { Find } from './find.js'

/** @import { Summary } from '../../model/trace' */

/** As `--row` in the styles, in pixels. */
const ROW = 52

/** Rows above and below those that are seen. */
const MARGIN = 10

/** The part of the list that is seen, in pixels. */
const seen = signal({ top: 0, height: 800 })

/** Who wrote in which conversation; once, if both have the same id. @param {Summary} summary */
const placeOf = ({ userId, conversationId = '' }) =>
  userId === undefined || userId === conversationId
    ? cutInTheMiddle(conversationId)
    : `${cutInTheMiddle(userId)} in ${cutInTheMiddle(conversationId)}`

/** How it went. @param {Summary} summary */
const factsOf = ({ code, direction, requests, replies, tries, isRedelivered }) =>
  [
    code !== 200 && code,
    requests > 1 && `repeat, ${requests} requests`,
    replies.length > 0 && direction === 'to the bot' && counted(replies.length, 'reply', 'replies'),
    tries > 0 && counted(tries, 'try', 'tries'),
    isRedelivered && 'redelivered',
  ].filter(Boolean)

/** @param {string} id */
const rowId = (id) => `trace-${id}`

/** The traces that are found, newest first. Only those that are seen are drawn. */
export const TraceList = () => {
  const { shown, fresh } = listed.value
  const { top, height } = seen.value
  const first = Math.max(Math.floor(top / ROW) - MARGIN, 0)
  const rows = shown.slice(first, Math.ceil((top + height) / ROW) + MARGIN)
  const open = address.trace.value
  const list = /** @type {{ current: HTMLElement | null }} */ (useRef(null))

  useLayoutEffect(() => {
    const element = list.current
    if (!element) return undefined
    const observer = new ResizeObserver(() => (seen.value = { top: element.scrollTop, height: element.clientHeight }))
    observer.observe(element)
    return () => observer.disconnect()
  }, [])

  // What is chosen by key is brought into sight.
  useLayoutEffect(() => {
    const index = shown.findIndex(({ id }) => id === open)
    const element = list.current
    if (!element || index < 0) return
    if (index * ROW < element.scrollTop) element.scrollTop = index * ROW
    else if ((index + 1) * ROW > element.scrollTop + element.clientHeight)
      element.scrollTop = (index + 1) * ROW - element.clientHeight
  }, [open])

  const toNewest = () => {
    if (list.current) list.current.scrollTop = 0
    scrolledAt.value = 0
  }

  const move = (/** @type {number} */ to) => {
    address.trace.value = shown[Math.min(Math.max(to, 0), shown.length - 1)]?.id ?? ''
  }

  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const index = shown.findIndex(({ id }) => id === open)
    const to = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: shown.length - 1 }[event.key]
    if (to === undefined || shown.length === 0) return
    move(to)
    event.preventDefault()
  }

  return html`<section id="wire" tabindex="-1" aria-labelledby="wire-title">
    <h2 id="wire-title">The wire</h2>
    <${Find} fresh=${fresh} onNewest=${toNewest} />
    ${shown.length === 0 && html`<p class="quiet">${summaries.value.length > 0 ? 'Nothing is found.' : 'Nothing yet.'}</p>`}
    <div
      id="traces"
      ref=${list}
      role="listbox"
      tabindex="0"
      aria-label="Traces, newest first"
      aria-activedescendant=${rows.some(({ id }) => id === open) ? rowId(open) : undefined}
      onScroll=${(/** @type {any} */ { currentTarget: { scrollTop, clientHeight } }) => {
        seen.value = { top: scrollTop, height: clientHeight }
        scrolledAt.value = scrollTop > ROW / 2 ? scrolledAt.value || Date.now() : 0
      }}
      onKeyDown=${onKeyDown}
    >
      <div class="rows" role="presentation" style=${{ height: `${shown.length * ROW}px` }}>
        ${rows.map((summary, index) => {
          const { id, title, status, startedAt, direction, durationMs, conversationId, isRetried } = summary
          const isPlain = status === 'delivered' && !isRetried
          return html`<div
            key=${id}
            id=${rowId(id)}
            class=${`row ${isPlain ? '' : status}`}
            role="option"
            aria-selected=${id === open}
            style=${{ transform: `translateY(${(first + index) * ROW}px)` }}
            onClick=${() => openTrace(id)}
          >
            <span class="direction" title=${direction} aria-hidden="true"
              >${direction === 'to the bot' ? '→' : '←'}</span
            >
            <span class="title" dir="auto">${title || '(no text)'}</span>
            <span class=${isPlain ? 'visually-hidden' : `pill ${status}`}>${STATUS_WORDS[status]}</span>
            <span class="took quiet">${durationMs !== undefined && duration(durationMs)}</span>
            <span class="facts"
              ><time>${clockTime(startedAt)}</time>
              ${conversationId && html` · <span class="where" dir="auto" title=${conversationId}>${placeOf(summary)}</span>`}
              ${factsOf(summary).map((fact) => html`<span class="fact">${` · ${fact}`}</span>`)}</span
            >
          </div>`
        })}
      </div>
    </div>
  </section>`
}
