// A bridge between Chatwoot and a bot, in Node.js, with nothing installed:
//
//   Chatwoot  -- /chatwoot -->  this bridge  -- WEBHOOK_URL -->  the bot
//   Chatwoot  <-- its API ----  this bridge  <----- /bot ------  the bot
//
// While a conversation is pending, the bot answers. While it is open, humans do: the bridge notes what they say, and
// tells the bot with one event `resumed` when the conversation is pending again.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { text as bodyOf } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

const { WEBHOOK_URL, ACCESS_KEY, SIGNING_SECRET, STATE_FILE = 'chatwoot-bridge.json', PORT = '8080' } = process.env
const { CHATWOOT_URL, CHATWOOT_ACCOUNT, CHATWOOT_TOKEN, CHATWOOT_SECRETS } = process.env
const needed = ['WEBHOOK_URL', 'ACCESS_KEY', 'CHATWOOT_URL', 'CHATWOOT_ACCOUNT', 'CHATWOOT_TOKEN', 'CHATWOOT_SECRETS']
const missing = needed.filter((name) => !process.env[name]?.trim())
if (!/^whsec_[\w+/]{32,}=*$/.test(SIGNING_SECRET)) missing.push('SIGNING_SECRET (whsec_…)')
if (missing.length > 0) {
  console.error(`Set ${missing.join(', ')} in the environment: see README.md beside this file.`)
  process.exit(1)
}

const DAY_MS = 24 * 60 * 60_000

/** Text in well-formed Unicode, of that length at most. */
const cut = (text, length) => text.slice(0, length).toWellFormed()

// ---- What is remembered, also over a restart

/**
 * `untold`, by conversation: since when a human has been in charge, and what was said that the bot has not been told.
 * `seen`: when each request of the last day came, by its id. One that comes again is dropped.
 */
const readState = () => {
  try {
    const { untold, seen } = JSON.parse(readFileSync(STATE_FILE, 'utf8'))
    return { untold, seen: new Map(seen) }
  } catch ({ code, message }) {
    if (code !== 'ENOENT') console.error(`${STATE_FILE} cannot be read: ${message}`)
    return { untold: {}, seen: new Map() }
  }
}

const { untold, seen } = readState()

const save = () => {
  try {
    writeFileSync(`${STATE_FILE}.new`, JSON.stringify({ untold, seen: [...seen] }))
    renameSync(`${STATE_FILE}.new`, STATE_FILE)
  } catch ({ message }) {
    console.error(`${STATE_FILE} cannot be written: ${message}`)
  }
}

// ---- From Chatwoot to the bot

/** By conversation: its newest status, and the time of that. An event may wait, or come late, with an older one. */
const statuses = new Map()

const onChatwoot = (event) => {
  // An event about a conversation is the conversation itself; others have it in them.
  const { id, status, updated_at: at, meta } = event.conversation ?? event
  const contact = meta?.sender
  if (!contact || event.private) return
  const { from, messages } = saidIn(event)
  // There is nothing to pass on, nor to learn: the update of a message may have an old status, though a new time.
  if (messages.length === 0 && !event.event.startsWith('conversation_')) return
  const conversationId = String(id)
  const isLate = at < statuses.get(conversationId)?.at
  if (!isLate) statuses.set(conversationId, { status, at })
  inTurn(`to the bot: ${conversationId}`, async () => {
    // An event about the conversation has no messages: it starts the notes here, or ends them in `resume`.
    if (event.event === 'conversation_opened') startNoting(conversationId)
    // Pending when it was said, and still.
    const isForBot = from !== 'agent' && status === 'pending' && statuses.get(conversationId).status === 'pending'
    if (!isForBot) return note(conversationId, from, messages)
    const userId = String(contact.id)
    await resume(conversationId, userId)
    const user = { name: cut(contact.name ?? '', 200) }
    for (const message of messages) await toBot('', { conversationId, userId, user, ...message })
  })
}

/** Who has said what in an event: the user, or an agent, but no automation. The messages are as the bot gets them. */
const saidIn = ({ event, id, message_type, content, attachments, content_attributes, sender }) => {
  // In the website's chat, the user's choice is an update of the message that offered it.
  const { title, value } = content_attributes?.submitted_values?.[0] ?? {}
  if (event === 'message_updated' && title)
    return { from: 'user', messages: [{ messageId: `${id}-chosen`, type: 'text', text: title, payload: { value } }] }
  const isUser = message_type === 'incoming'
  const isAgent = message_type === 'outgoing' && sender?.type === 'user' // Chatwoot calls its agents users.
  if (event !== 'message_created' || !(isUser || isAgent)) return { messages: [] }
  const messages = (attachments ?? []).map((attachment, index) => mediaOf(attachment, `${id}-${index}`))
  if (content) messages.unshift({ messageId: `${id}`, type: 'text', text: cut(content, 30_000) })
  return { from: isUser ? 'user' : 'agent', messages }
}

const mediaOf = ({ file_type: type, data_url: url, fallback_title: title }, messageId) => {
  // A contact, or a post that was shared.
  if (!url) return { messageId, type: 'text', text: title || type || 'an attachment' }
  const kind = ['image', 'audio', 'video'].includes(type) ? type : 'file'
  return { messageId, type: kind, payload: { [`${kind}Url`]: url } }
}

// ---- What humans say, for the bot

/** A human has come: the bot is told of it, even if he says nothing. */
const startNoting = (conversationId) => {
  untold[conversationId] ??= { since: Date.now(), lines: [] }
  save()
}

/** Keeps what was said, once: the last 50 lines, since an event has at most 128 KB. */
const note = (conversationId, from, messages) => {
  if (messages.length === 0) return
  startNoting(conversationId)
  const entry = untold[conversationId]
  for (const { messageId: id, type, text, payload } of messages) {
    if (entry.lines.some((line) => line.id === id)) continue
    entry.lines.push({ id, from, text: cut(text ?? payload[`${type}Url`], 400) })
  }
  entry.lines = entry.lines.slice(-50)
  save()
}

/** Tells the bot, once, what was said while a human was in charge. */
const resume = async (conversationId, userId) => {
  const entry = untold[conversationId]
  if (!entry) return
  const transcript = entry.lines.map(({ from, text }) => ({ from, text }))
  // The same at every try, so that the bot gets it once; a new one when more has been said.
  const eventId = `resumed-${conversationId}-${entry.since}-${entry.lines.at(-1)?.id}`
  const { ok } = await toBot('/events', { conversationId, userId, type: 'resumed', eventId, payload: { transcript } })
  if (!ok) return // The next message tries again.
  delete untold[conversationId]
  save()
}

// ---- From the bot to Chatwoot

/** By conversation: what waits to be shown. What the bot says at once may arrive in any order. */
const waiting = new Map()

const onBot = ({ type, payload, conversationId, botpressMessageId }, headers) => {
  if (type === 'test') return // Botpress tries the URL when the configuration is saved.
  const createdAt = headers['botpress-created-at']
  if (Date.parse(createdAt) < Date.now() - DAY_MS) return // Too late, and perhaps shown before.
  // Sorts by time, and within a millisecond by the id.
  const sortKey = `${createdAt} ${botpressMessageId}`
  const messages = waiting.get(conversationId) ?? []
  messages.push({ sortKey, type, payload })
  waiting.set(conversationId, messages)
  inTurn(`to Chatwoot: ${conversationId}`, async () => {
    await sleep(200) // An earlier one may be on its way.
    // Each message has a turn, which shows the earliest that waits, and not always its own.
    messages.sort((a, b) => (a.sortKey < b.sortKey ? -1 : 1))
    const earliest = messages.shift()
    if (messages.length === 0) waiting.delete(conversationId)
    await show(conversationId, earliest)
  })
}

const show = async (conversationId, { type, payload }) => {
  // From Botpress Studio, the type is `any`, and `handoff` is in the payload.
  const isHandoff = type === 'handoff' || payload.type === 'handoff'
  if (isHandoff && !(await toChatwoot(conversationId, 'toggle_status', { status: 'open' })).ok) return
  const messages = isHandoff ? [{ text: payload.text }] : messagesOf(type, payload)
  for (const message of messages) await say(conversationId, message)
}

/** A message of the bot as Chatwoot's: its `fileUrl` or `rich` body is tried first, and its `text` if that fails. */
const messagesOf = (type, payload) => {
  const { text, title, items = [], options = [], address, latitude, longitude } = payload
  if (type === 'bloc') return items.flatMap((item) => messagesOf(item.type, item.payload))
  if (type === 'choice' || type === 'dropdown') return [selectOf(text, options)]
  if (type === 'card') return cardOf(payload)
  if (type === 'carousel') return items.flatMap(cardOf)
  const map = `https://www.google.com/maps/search/?api=1&query=${latitude},${longitude}`
  if (type === 'location') return [{ text: joined(title, address, map) }]
  const fileUrl = payload[`${type}Url`]
  if (fileUrl) return [{ text: joined(title, fileUrl), fileUrl, title }]
  return [{ text: payload.markdown ?? text ?? JSON.stringify(payload) }]
}

const joined = (...parts) => parts.filter(Boolean).join('\n')
const richBody = (content, content_type, items) => ({ content, content_type, content_attributes: { items } })

const selectOf = (text, options) => {
  if (options.length === 0) return { text }
  const items = options.map(({ label, value }) => ({ title: label, value }))
  return { text: joined(text, ...options.map(({ label }) => label)), rich: richBody(text, 'input_select', items) }
}

/** Chatwoot's cards have links alone, and at least one: other actions are options. */
const cardOf = ({ title, subtitle = '', imageUrl = '', actions = [] }) => {
  const links = actions.filter(({ action }) => action === 'url')
  const options = actions.filter(({ action }) => action !== 'url')
  const text = joined(title, subtitle, imageUrl, ...links.map(({ value }) => value))
  if (links.length === 0) return [selectOf(text, options)]
  const buttons = links.map(({ label, value }) => ({ type: 'link', text: label, uri: value }))
  const card = { title, description: subtitle, media_url: imageUrl, actions: buttons }
  const message = { text, rich: richBody(title, 'cards', [card]) }
  return options.length > 0 ? [message, selectOf(title, options)] : [message]
}

/** A file may be gone, and Chatwoot may refuse what is rich, or fail on it. */
const say = async (conversationId, { text, rich, fileUrl, title }) => {
  const better = fileUrl ? await uploadOf(fileUrl, title).catch(() => undefined) : rich
  if (better && (await toChatwoot(conversationId, 'messages', better, { minutes: 1 })).ok) return
  if (text) await toChatwoot(conversationId, 'messages', { content: text })
}

const uploadOf = async (url, content = '') => {
  const response = await fetch(url, { signal: AbortSignal.timeout(30_000) })
  if (!response.ok) return undefined
  const form = new FormData()
  form.set('content', content)
  form.set('attachments[]', await response.blob(), new URL(url).pathname.split('/').pop() || 'file')
  return form
}

// ---- Sending: one thing after the other, until it is taken

const queues = new Map()

/** Works on the things of a queue one after the other, so that messages stay in order. */
const inTurn = async (queue, work) => {
  const turn = (queues.get(queue) ?? Promise.resolve()).then(work).catch((error) => console.error(error))
  queues.set(queue, turn)
  await turn
  if (queues.get(queue) === turn) queues.delete(queue)
}

const toBot = (path, body) => post(WEBHOOK_URL + path, { authorization: `Bearer ${ACCESS_KEY}` }, body)

const CONVERSATIONS = `${CHATWOOT_URL.replace(/\/$/, '')}/api/v1/accounts/${CHATWOOT_ACCOUNT}/conversations`

const toChatwoot = (conversationId, path, body, limit) => {
  const url = `${CONVERSATIONS}/${encodeURIComponent(conversationId)}/${path}`
  return post(url, { api_access_token: CHATWOOT_TOKEN }, body, limit)
}

/** Posts JSON, or a form, with growing pauses until it is taken or refused, or the time is up. */
const post = async (url, headers, body, { minutes = 60 } = {}) => {
  const json = { headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const content = body instanceof FormData ? { headers, body } : json
  // A redirect would be followed with a GET, and lose the message.
  const request = { method: 'POST', redirect: 'manual', ...content }
  const end = Date.now() + minutes * 60_000
  for (let seconds = 1; Date.now() < end; seconds = Math.min(seconds * 2, 30)) {
    const response = await fetch(url, { ...request, signal: AbortSignal.timeout(60_000) }).catch(() => undefined)
    const answer = await response?.text().catch(() => '')
    if (response?.ok) return { ok: true, answer }
    const { host, pathname } = new URL(url)
    console.error(`${host}${pathname}: ${response ? `${response.status} ${answer}` : 'no answer'}`)
    const isRefused = response && response.status < 500 && ![408, 429].includes(response.status)
    if (isRefused) break
    const asked = Number(response?.headers.get('retry-after')) || 0
    const pauseMs = Math.min(Math.max(asked, seconds) * 1000, 600_000)
    await sleep(Math.max(Math.min(pauseMs, end - Date.now()), 0))
  }
  return { ok: false }
}

/** Asks for what the bot said while this was down, until no more is left: it comes to /bot. */
const catchUp = async (delivery) => {
  const { ok, answer } = await toBot('/redeliveries', { delivery })
  const { delivered, more, reason } = ok ? JSON.parse(answer) : {}
  if (reason) console.error(`Not caught up: ${reason}`)
  if (delivered === 0 && more) await sleep(30_000) // Another redelivery may be at work.
  if (more) await catchUp(delivery)
}

// ---- Who sends

const hmac = (key, signed, encoding) => createHmac('sha256', key).update(signed).digest(encoding)
const isFresh = (timestamp) => Math.abs(Date.now() / 1000 - timestamp) < 5 * 60

const isEqual = (given, expected) => {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}

/** By Standard Webhooks: https://www.standardwebhooks.com */
const isFromBot = ({ 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signatures = '' }, body) => {
  const key = Buffer.from(SIGNING_SECRET.replace('whsec_', ''), 'base64')
  const expected = 'v1,' + hmac(key, `${id}.${at}.${body}`, 'base64')
  return isFresh(at) && signatures.split(' ').some((signature) => isEqual(signature, expected))
}

/** The agent bot has one secret, and the account's webhook another. */
const isFromChatwoot = ({ 'x-chatwoot-timestamp': at, 'x-chatwoot-signature': signature = '' }, body) => {
  const secrets = CHATWOOT_SECRETS.trim().split(/\s+/)
  return isFresh(at) && secrets.some((secret) => isEqual(signature, 'sha256=' + hmac(secret, `${at}.${body}`, 'hex')))
}

// ---- The server

const ROUTES = new Map([
  ['/bot', { isGenuine: isFromBot, take: onBot, idHeader: 'webhook-id' }],
  ['/chatwoot', { isGenuine: isFromChatwoot, take: onChatwoot, idHeader: 'x-chatwoot-delivery' }],
])

const MAX_BYTES = 20_000_000 // A long mail is in an event several times.

const server = createServer(async (request, response) => {
  const route = ROUTES.get(request.url)
  const isShort = Number(request.headers['content-length']) <= MAX_BYTES // And its length is given.
  const body = route && isShort ? await bodyOf(request).catch(() => '') : '' // The connection may break.
  const status = !route ? 404 : !isShort ? 413 : !route.isGenuine(request.headers, body) ? 401 : 204
  response.writeHead(status).end() // First the answer, then the work.
  if (status !== 204) return console.error(`${request.method} ${request.url}: answered ${status}`)
  const id = request.headers[route.idHeader]
  if (seen.has(id)) return
  if (id) seen.set(id, Date.now())
  for (const [old, at] of seen) if (at < Date.now() - DAY_MS) seen.delete(old)
  save()
  try {
    route.take(JSON.parse(body), request.headers)
  } catch (error) {
    console.error(error)
  }
})

server.listen(Number(PORT), async () => {
  console.log(`Listening on port ${PORT}`)
  // `unknown` may have arrived: /bot drops repeats.
  for (const delivery of ['failed', 'unknown']) await catchUp(delivery).catch((error) => console.error(error))
})

// What was taken is passed on before the end.
for (const signal of ['SIGTERM', 'SIGINT'])
  process.on(signal, async () => {
    server.close()
    while (queues.size > 0) await Promise.all(queues.values())
    process.exit()
  })
