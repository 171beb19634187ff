import { html } from 'htm/preact'
import { address, resetFilters } from '../../model/address.js'
import { matches, summaries } from '../../model/found.js'
import { cutInTheMiddle } from '../in-words.js'
import { isUndelivered } from '../../model/trace.js'

/** @type {[string, string][]} */
const DIRECTIONS = [
  ['', 'both ways'],
  ['to the bot', 'to the bot'],
  ['from the bot', 'from the bot'],
  ['of the integration', 'of the integration'],
]

/** Statuses that are worth a look, with how many traces have them: each filters. */
const StatusChips = () => {
  const { status } = address
  const others = { q: address.q.value, direction: address.direction.value, conversation: address.conversation.value }
  const all = summaries.value.filter((summary) => matches(summary, { ...others, status: '' }))
  const counts = {
    undelivered: all.filter((summary) => isUndelivered(summary.status)).length,
    retrying: all.filter((summary) => summary.status === 'retrying').length,
    waiting: all.filter((summary) => summary.status === 'waiting').length,
    refused: all.filter((summary) => summary.status === 'refused').length,
  }
  /** @type {[string, string][]} */
  const chips = [
    ['', 'All'],
    ['undelivered', `Failed ${counts.undelivered}`],
    ['retrying', `Retrying ${counts.retrying}`],
    ['waiting', `Waiting ${counts.waiting}`],
    ['refused', `Refused ${counts.refused}`],
  ]
  const shown = chips.filter(([name, words]) => name === status.value || !words.endsWith(' 0'))
  if (shown.length === 1) return null
  return html`<div class="chips" role="group" aria-label="Filter by status">
    ${shown.map(
      ([name, words]) =>
        html`<button
          key=${name}
          type="button"
          aria-pressed=${name === status.value}
          onClick=${() => (status.value = name)}
        >
          ${words}
        </button>`
    )}
  </div>`
}

/**
 * What is looked for, and the button to what is new meanwhile.
 *
 * @param {{ fresh: number, onNewest: () => void }} props
 */
export const Find = ({ fresh, onNewest }) => {
  const { q, status, direction, conversation, since, until } = address
  const isPaused = until.value !== ''
  const isFiltered = [q, status, direction, conversation, since].some(({ value }) => value !== '')
  return html`<div class="find" role="search">
    <input
      id="search"
      type="search"
      aria-label="Search"
      placeholder="Search ( / )"
      value=${q.value}
      onInput=${(/** @type {any} */ event) => (q.value = event.currentTarget.value)}
    />
    <select
      aria-label="Direction"
      value=${direction.value}
      onChange=${(/** @type {any} */ event) => (direction.value = event.currentTarget.value)}
    >
      ${DIRECTIONS.map(([name, words]) => html`<option key=${name} value=${name}>${words}</option>`)}
    </select>
    <${StatusChips} />
    ${conversation.value !== '' && html`<button type="button" onClick=${() => (conversation.value = '')}>Only ${cutInTheMiddle(conversation.value)} ×</button>`}
    ${isFiltered && html`<button type="button" onClick=${resetFilters}>Show all</button>`}
    <button type="button" aria-pressed=${isPaused} onClick=${() => (until.value = isPaused ? '' : String(Date.now()))}>
      ${isPaused ? 'Go on' : 'Pause'}
    </button>
    <button
      type="button"
      onClick=${() => {
        since.value = String(Date.now())
        address.trace.value = ''
      }}
    >
      Clear
    </button>
    ${
      fresh > 0 &&
      html`<button
        type="button"
        class="fresh"
        onClick=${() => {
          until.value = ''
          onNewest()
        }}
      >
        ${fresh} new
      </button>`
    }
  </div>`
}
