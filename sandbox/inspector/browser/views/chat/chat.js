import { signal } from '@preact/signals'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { html } from 'htm/preact'
import { address } from '../../model/address.js'
import { clicked, pane } from '../../model/pane.js'
import { saidHere } from '../../model/talk.js'
import { Bubble } from './bubble.js'
import { Marked } from './marked.js'
import { Refused } from './refused.js'
import { groupOf, Sender } from './sender.js'
import { sentHere, unsent } from './sending.js'

const PAGE = 100

const limit = signal(PAGE)

/** Nearer to the end, the newest is looked at, in pixels. */
const NEAR = 40

/**
 * The messages, the newest at the end. It is followed as long as it is looked at, and when this page sends something.
 */
export const Chat = () => {
  const all = saidHere.value
  const first = Math.max(all.length - limit.value, 0)
  // Before the newest, those of the open trace, however old they are.
  const older = all.slice(0, first).filter(({ trace }) => trace.id === address.trace.value)
  const shown = [...older.slice(0, PAGE), ...all.slice(first)]
  const list = /** @type {{ current: HTMLElement | null }} */ (useRef(null))
  const [isAtEnd, setAtEnd] = useState(true)
  const lastSeen = useRef('')
  if (isAtEnd) lastSeen.current = all.at(-1)?.message.id ?? ''
  const fresh = isAtEnd ? 0 : all.length - 1 - all.findLastIndex(({ message }) => message.id === lastSeen.current)
  const conversation = address.conversation.value
  const failed = unsent.value.filter(({ body }) => !conversation || body.conversationId === conversation)
  const toEnd = () => {
    setAtEnd(true)
    if (list.current) list.current.scrollTop = list.current.scrollHeight
  }
  useLayoutEffect(() => {
    if (isAtEnd) toEnd()
  })
  useLayoutEffect(toEnd, [sentHere.value, conversation])
  // While it is hidden, it cannot be scrolled.
  void pane.value
  useLayoutEffect(() => {
    // Who has clicked a bubble looks at it.
    if (clicked.value.trace !== address.trace.value)
      list.current?.querySelector('.bubble.open')?.scrollIntoView({ block: 'nearest' })
  }, [address.trace.value])
  return html`
    <h2 id="chat-title">${conversation ? html`<span dir="auto">${conversation}</span>` : 'All conversations'}</h2>
    <${Marked} />
    <div class="messages">
      <ol
        id="chat"
        ref=${list}
        tabindex="0"
        aria-label="Messages"
        onScroll=${(/** @type {any} */ { currentTarget: { scrollHeight, scrollTop, clientHeight } }) =>
          setAtEnd(scrollHeight - scrollTop - clientHeight < NEAR)}
      >
        ${
          first > 0 &&
          html`<li>
            <button type="button" onClick=${() => (limit.value += PAGE)}>Show earlier messages (${first})</button>
          </li>`
        }
        ${all.length + failed.length === 0 && html`<li class="quiet">No message yet. Write one below, or tell the bot a word.</li>`}
        ${shown.flatMap((said, index) => {
          const before = shown[index - 1]
          const { message, trace } = said
          const isFirst = !before || groupOf(before) !== groupOf(said)
          return [
            isFirst && html`<${Sender} key=${`of ${message.id}`} said=${said} />`,
            html`<${Bubble}
              key=${message.id}
              said=${said}
              version=${trace.version}
              isOpen=${trace.id === address.trace.value}
            />`,
          ]
        })}
        ${failed.map((one) => html`<${Refused} key=${one.body.conversationId + one.at} failed=${one} />`)}
      </ol>
      ${fresh > 0 && html`<button type="button" class="fresh" onClick=${toEnd}>↓ ${fresh} new</button>`}
    </div>
  `
}
