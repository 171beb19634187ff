import { batch, effect, signal } from '@preact/signals'

/** What is looked for and looked at: it stands in the address, so that a reload or a shared link shows the same. */
export const address = {
  q: signal(''),
  status: signal(''),
  direction: signal(''),
  conversation: signal(''),
  trace: signal(''),
  /** What ended earlier is not shown, in milliseconds since 1970. */
  since: signal(''),
  /** What began later is not listed. */
  until: signal(''),
}

/** @param {string} search */
const read = (search) => {
  const query = new URLSearchParams(search)
  batch(() => {
    for (const [name, value] of Object.entries(address)) value.value = query.get(name) ?? ''
  })
}

/** Reads the address, and keeps it as things are from then on. */
export const followAddress = () => {
  read(location.search)
  // It is an entry of before the trace was opened: what is looked for stays as it is now.
  addEventListener('popstate', () => (address.trace.value = new URLSearchParams(location.search).get('trace') ?? ''))
  effect(() => {
    const query = new URLSearchParams()
    for (const [name, { value }] of Object.entries(address)) if (value !== '') query.set(name, value)
    const search = String(query) === '' ? '' : `?${query}`
    if (search === location.search) return
    // The browser's Back closes a trace.
    const opens = query.has('trace') && !new URLSearchParams(location.search).has('trace')
    history[opens ? 'pushState' : 'replaceState'](null, '', location.pathname + search)
  })
}

/** Shows everything again, also what was cleared away. */
export const resetFilters = () =>
  batch(() => {
    for (const name of /** @type {const} */ (['q', 'status', 'direction', 'conversation', 'since']))
      address[name].value = ''
  })
