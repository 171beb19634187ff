import { signal } from '@preact/signals'
import { memo } from './memo.js'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { html } from 'htm/preact'
import { address } from '../../model/address.js'
import { redeliverMarked, takeWaiting } from '../../model/server.js'
import { marked, saidHere } from '../../model/talk.js'
import { createdAt, exchangesOf, isUndelivered, statusOfMessage, summaryOf, triesOf } from '../../model/trace.js'
import { announce } from '../announcer.js'
import { clockTime, counted, cutInTheMiddle, STATUS_WORDS } from '../in-words.js'
import { shortened } from './shortened.js'
import { payloadView } from './payload.js'
import { drop, say, sendAgain, sentHere, unsent } from './sending.js'

/** @import { Said } from '../../model/talk' */
/** @import { Unsent } from './sending' */

const PAGE = 100

const limit = signal(PAGE)

/** @param {Said} said */
const outcomeOf = ({ message, trace }) => {
  const status = statusOfMessage(trace, message)
  if (status === 'taken') {
    const sent = exchangesOf(trace).filter(({ from }) => from === 'backend').length
    return { status, words: sent > 1 ? `sent ${sent} times` : 'sent' }
  }
  const all = triesOf(trace, message)
  const tries = all.filter(({ isRedelivery }) => !isRedelivery).length
  const after =
    (tries > 1 ? `${status === 'retrying' ? ',' : ' in'} ${counted(tries, 'try', 'tries')}` : '') +
    (all.length > tries ? ', redelivered' : '')
  const reason = isUndelivered(status) ? `: ${message.delivery?.error ?? ''}` : ''
  return { status, words: `${STATUS_WORDS[status]}${after}${reason}` }
}

/** Who wrote a message: the user, by the backend's id, or the bot. @param {Said} said */
const senderOf = ({ message, trace }) =>
  message.direction === 'incoming' ? (summaryOf(trace).userId ?? 'user') : 'bot'

/** @param {Said} said */
const minuteOf = ({ message }) => clockTime(createdAt(message)).slice(0, 5)

/** Messages that have the same stand under one heading. @param {Said} said */
const groupOf = (said) =>
  JSON.stringify([said.message.direction, senderOf(said), said.message.conversationId, minuteOf(said)])

/** @param {{ said: Said }} props */
const Sender = ({ said }) => {
  const { direction, conversationId } = said.message
  const place = address.conversation.value === '' ? ` in ${cutInTheMiddle(conversationId)}` : ''
  return html`<li class=${`sender ${direction}`} title=${conversationId}>
    <b dir="auto">${senderOf(said)}</b>${`${place} · ${minuteOf(said)}`}
  </li>`
}

const Bubble = memo((/** @type {{ said: Said, version: number, isOpen: boolean }} */ { said, isOpen }) => {
  const { message, trace } = said
  const { direction, conversationId, type, payload, payloadBeginning } = message
  const { status, words } = outcomeOf(said)
  const open = () => (address.trace.value = trace.id)
  return html`<li
    class=${`bubble ${direction} ${isOpen ? 'open' : ''}`}
    data-type=${type}
    onClick=${(/** @type {any} */ { target }) => target.closest('a, button, audio, video') || open()}
  >
    ${
      payload === undefined
        ? html`<pre>${shortened(payloadBeginning?.text ?? '')}</pre>`
        : payloadView(type, payload, (text) => say(text, conversationId))
    }
    <button type="button" class="meta" onClick=${open} title="Open its trace">
      ${type !== 'text' && html`<span dir="auto">${type}</span>${' · '}`}<span class=${`outcome ${status}`}
        >${words}</span
      >
    </button>
  </li>`
})

/** @param {{ failed: Unsent }} props */
const Failed = ({ failed }) => {
  const { body, kind, reason = '' } = failed
  return html`<li class="bubble incoming unsent">
    <span class="meta"
      >${kind === 'message' ? body.userId : kind} in <span dir="auto">${body.conversationId}</span>, ${body.type}</span
    >
    <div class="text" dir="auto">${shortened(body.text ?? JSON.stringify(body.payload ?? {}))}</div>
    <small class="outcome failed">not sent: ${reason}</small>
    <button type="button" onClick=${() => sendAgain(failed)}>Send again</button>
    <button type="button" onClick=${() => drop(body)}>Drop</button>
  </li>`
}

/** What the last redelivery came to, and what was marked then. */
const outcome = signal({ words: '', of: '' })

const markedNow = () => JSON.stringify(marked.value)

/** @param {string} what is under way @param {() => Promise<string>} act tells how it went */
const settle = async (what, act) => {
  outcome.value = { words: `${what} …`, of: markedNow() }
  const words = await act().catch(({ message }) => message)
  outcome.value = { words, of: markedNow() }
  announce(words)
}

/** What the integration has marked, and what can be done about it. */
const Marked = () => {
  const { failed, unknown, waiting } = marked.value
  if (failed + unknown + waiting === 0) return null
  return html`<div class="marked" role="group" aria-label="Not delivered, or perhaps">
    ${
      failed > 0 &&
      html`<button type="button" onClick=${() => settle('redelivering', () => redeliverMarked('failed'))}>
        Redeliver ${counted(failed, 'message')} that failed
      </button>`
    }
    ${
      unknown > 0 &&
      html`<button type="button" onClick=${() => settle('redelivering', () => redeliverMarked('unknown'))}>
        Send again ${counted(unknown, 'message')} that may have arrived
      </button>`
    }
    ${waiting > 0 && html`<button type="button" onClick=${() => settle('taking', takeWaiting)}>Take ${counted(waiting, 'message')} that wait${waiting === 1 ? 's' : ''}</button>`}
    ${outcome.value.of === markedNow() && html`<span>${outcome.value.words}</span>`}
  </div>`
}

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
  useLayoutEffect(() => {
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
        ${failed.map((one) => html`<${Failed} key=${one.body.conversationId + one.at} failed=${one} />`)}
      </ol>
      ${fresh > 0 && html`<button type="button" class="fresh" onClick=${toEnd}>↓ ${fresh} new</button>`}
    </div>
  `
}
