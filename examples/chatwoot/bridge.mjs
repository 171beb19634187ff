// A bridge between Chatwoot and a bot, in Node.js, with nothing installed:
//
//   Chatwoot  -- /chatwoot -->  this bridge  -- WEBHOOK_URL -->  the bot
//   Chatwoot  <-- its API ----  this bridge  <----- /bot ------  the bot
//
// While a conversation is pending, the bot answers. While it is open, humans do: the bridge notes what they say, and
// tells the bot with one event `resumed` when the conversation is pending again.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

const BOT_SETTINGS = ['WEBHOOK_URL', 'ACCESS_KEY', 'SIGNING_SECRET']
const CHATWOOT_SETTINGS = ['CHATWOOT_URL', 'CHATWOOT_ACCOUNT', 'CHATWOOT_TOKEN', 'CHATWOOT_SECRETS']
const missing = [...BOT_SETTINGS, ...CHATWOOT_SETTINGS].filter((name) => !process.env[name])
if (missing.length > 0) {
  console.error(`Set ${missing.join(', ')} in the environment: see README.md beside this file.`)
  process.exit(1)
}
const { WEBHOOK_URL, ACCESS_KEY, SIGNING_SECRET, STATE_FILE = 'chatwoot-bridge.json', PORT = '8080' } = process.env
const { CHATWOOT_URL, CHATWOOT_ACCOUNT, CHATWOOT_TOKEN, CHATWOOT_SECRETS } = process.env

const lines = (...parts) => parts.filter(Boolean).join('\n')

// ---- From Chatwoot to the bot

const onChatwoot = (event) => {
  // An event of a conversation is the conversation itself.
  const { id, status, meta } = event.conversation ?? event
  const contact = meta?.sender
  if (!contact || event.private) return
  const conversationId = String(id)
  if (status === 'open') opened.add(conversationId)
  else opened.delete(conversationId)

  const line = lineOf(event)
  // Of an agent even if the conversation is pending again: Chatwoot's events may come late.
  if (line?.from === 'agent' || (line && status !== 'pending') || event.event === 'conversation_opened')
    note(conversationId, line)
  if (status !== 'pending') return

  inTurn(`to the bot: ${conversationId}`, async () => {
    // While this waited for its turn, an agent may have taken over.
    if (opened.has(conversationId)) return line && note(conversationId, line)
    const ids = { conversationId, userId: String(contact.id) }
    await resume(ids)
    for (const message of messagesOf(event)) await toBot('', { ...ids, user: userOf(contact), ...message })
  })
}

const userOf = ({ name, thumbnail }) => ({
  name: (name ?? '').slice(0, 200).toWellFormed(),
  pictureUrl: URL.canParse(thumbnail) ? new URL(thumbnail).href : undefined,
})

/** The messages that the bot gets for an event: the text, then each attachment. */
const messagesOf = ({ event, id, message_type, content, attachments, content_attributes }) => {
  // In the website's chat, the user's choice is an update of the message that offered it.
  const chosen = event === 'message_updated' && content_attributes?.submitted_values?.[0]
  if (chosen?.title)
    return [{ messageId: `${id}-chosen`, type: 'text', text: chosen.title, payload: { value: chosen.value } }]
  if (event !== 'message_created' || message_type !== 'incoming') return []
  const texts = content ? [{ messageId: `${id}`, type: 'text', text: content }] : []
  const media = (attachments ?? []).map((attachment, at) => mediaOf(attachment, `${id}-${at}`))
  return [...texts, ...media]
}

const mediaOf = (attachment, messageId) => {
  const { data_url: url, fallback_title: title, coordinates_lat: latitude, coordinates_long: longitude } = attachment
  const { file_type: type } = attachment
  if (type === 'location') return { messageId, type, payload: { latitude, longitude, title } }
  // A contact, or a post that was shared.
  if (!url) return { messageId, type: 'text', text: title || type || 'an attachment' }
  const kind = ['image', 'audio', 'video'].includes(type) ? type : 'file'
  return { messageId, type: kind, payload: { [`${kind}Url`]: url } }
}

// ---- While humans are in charge

/** The conversations that are with an agent now. */
const opened = new Set()

/** By conversation: what the bot has not been told, and since when. In a file too, so that a restart does not lose it. */
const untold = existsSync(STATE_FILE) ? JSON.parse(readFileSync(STATE_FILE, 'utf8')) : {}

const save = () => {
  try {
    writeFileSync(`${STATE_FILE}.new`, JSON.stringify(untold))
    renameSync(`${STATE_FILE}.new`, STATE_FILE)
  } catch ({ message }) {
    console.error(`${STATE_FILE} cannot be written: ${message}`)
  }
}

/** What a human has said in an event, for the transcript. */
const lineOf = ({ event, id, message_type, content, attachments, sender }) => {
  const isUser = message_type === 'incoming'
  const isAgent = message_type === 'outgoing' && sender?.type === 'user' // No bot, and no automation.
  if (event !== 'message_created' || !(isUser || isAgent)) return undefined
  const files = (attachments ?? []).map((each) => each.data_url || each.fallback_title || each.file_type)
  return {
    id,
    from: isUser ? 'user' : 'agent',
    text: lines(content, ...files)
      .slice(0, 400)
      .toWellFormed(),
  }
}

/** @param line may come twice */
const note = (conversationId, line) => {
  const { lines: noted } = (untold[conversationId] ??= { since: Date.now(), lines: [] })
  if (line && !noted.some(({ id }) => id === line.id)) noted.push(line)
  if (noted.length > 50) noted.shift() // The payload of an event has at most 128 KB.
  save()
}

/** Tells the bot, once, what was said while humans were in charge. */
const resume = async ({ conversationId, userId }) => {
  const entry = untold[conversationId]
  if (!entry) return
  const transcript = entry.lines.map(({ from, text: words }) => ({ from, text: words }))
  // It stays the same when it is sent again, so the bot gets it once.
  const eventId = `resumed-${conversationId}-${entry.since}`
  const { ok } = await toBot('/events', { conversationId, userId, type: 'resumed', eventId, payload: { transcript } })
  if (!ok) return // The next message tries again.
  entry.lines.splice(0, transcript.length)
  entry.since = Date.now()
  // Humans may have gone on meanwhile.
  if (entry.lines.length === 0) delete untold[conversationId]
  save()
}

// ---- From the bot to Chatwoot

/** By conversation: what the bot says at once may arrive in any order, so it is collected for a moment, then sorted. */
const bursts = new Map()

const onBot = ({ type, payload, conversationId, botpressMessageId }, { 'botpress-created-at': createdAt }) => {
  if (type === 'test') return // Of the registration, not of the bot.
  // In one millisecond, the later message has the greater id.
  const message = { at: `${createdAt} ${botpressMessageId}`, type, payload }
  const burst = bursts.get(conversationId)
  if (burst) return void burst.push(message)
  bursts.set(conversationId, [message])
  inTurn(`to Chatwoot: ${conversationId}`, async () => {
    await sleep(300)
    const messages = bursts.get(conversationId).toSorted((a, b) => (a.at < b.at ? -1 : 1))
    bursts.delete(conversationId)
    // An odd one does not hold up the others.
    for (const each of messages) await show(conversationId, each).catch((error) => console.error(error))
  })
}

const show = async (conversationId, { type, payload }) => {
  const isHandoff = type === 'handoff' || payload.type === 'handoff'
  const bodies = isHandoff ? [{ content: payload.text }] : bodiesOf(type, payload)
  for (const body of bodies) if (body.content || body.fileUrl) await say(conversationId, body)
  if (isHandoff) await toChatwoot(conversationId, 'toggle_status', { status: 'open' })
}

/** The messages of Chatwoot for one of the bot's: bodies of its API, with `fileUrl` for a file to upload. */
const bodiesOf = (type, payload) => {
  const { text: words, title, items = [], options = [], address, latitude, longitude } = payload
  if (type === 'bloc') return items.flatMap((item) => bodiesOf(item.type, item.payload))
  if (type === 'choice' || type === 'dropdown') return [selectOf(words, options)]
  if (type === 'card') return cardsOf([payload])
  if (type === 'carousel') return cardsOf(items)
  if (['image', 'audio', 'video', 'file'].includes(type)) return [{ content: title, fileUrl: payload[`${type}Url`] }]
  const map = `https://www.google.com/maps/search/?api=1&query=${latitude},${longitude}`
  if (type === 'location') return [{ content: lines(title, address, map) }]
  return [{ content: payload.markdown ?? words ?? JSON.stringify(payload) }]
}

const selectOf = (content, options) => {
  const items = options.map(({ label, value }) => ({ title: label, value }))
  return items.length > 0 ? { content, content_type: 'input_select', content_attributes: { items } } : { content }
}

/** Cards with links are Chatwoot's cards, others are text. Chatwoot's other buttons reach no bot, so they are options. */
const cardsOf = (cards) => {
  const linksOf = ({ actions = [] }) => actions.filter(({ action }) => action === 'url')
  const items = cards
    .filter((card) => linksOf(card).length > 0)
    .map((card) => ({
      title: card.title,
      description: card.subtitle ?? '',
      media_url: card.imageUrl ?? '',
      actions: linksOf(card).map(({ label, value }) => ({ type: 'link', text: label, uri: value })),
    }))
  const others = cards.filter((card) => linksOf(card).length === 0)
  const options = cards.flatMap(({ title, actions = [] }) =>
    actions
      .filter(({ action }) => action !== 'url')
      .map(({ label, value }) => ({ label: cards.length > 1 ? `${title}: ${label}` : label, value }))
  )
  return [
    ...(items.length > 0 ? [{ content: items[0].title, content_type: 'cards', content_attributes: { items } }] : []),
    ...others.map(({ title, subtitle, imageUrl }) => ({ content: lines(title, subtitle, imageUrl) })),
    ...(options.length > 0 ? [selectOf(cards[0].title, options)] : []),
  ]
}

/** A file that cannot be fetched, and what Chatwoot does not take, is said as text. */
const say = async (conversationId, { fileUrl, ...body }) => {
  const message = fileUrl ? await formOf(fileUrl, body.content) : body
  const { ok } = message ? await toChatwoot(conversationId, 'messages', message) : { ok: false }
  if (ok) return
  const titles = (body.content_attributes?.items ?? []).map(({ title }) => title)
  await toChatwoot(conversationId, 'messages', { content: lines(body.content, fileUrl, ...titles) })
}

const formOf = async (url, content = '') => {
  const response = await fetch(url, { signal: AbortSignal.timeout(30_000) }).catch(() => undefined)
  const file = response?.ok ? await response.blob().catch(() => undefined) : undefined
  if (!file) return undefined
  const form = new FormData()
  form.set('content', content)
  form.set('attachments[]', file, new URL(url).pathname.split('/').pop() || 'file')
  return form
}

// ---- Sending: one thing after the other, until it is taken

const queues = new Map()

/** Works on the things of a queue one after the other, so that messages stay in order. */
const inTurn = (queue, work) => {
  const turn = (queues.get(queue) ?? Promise.resolve()).then(work).catch((error) => console.error(error))
  queues.set(queue, turn)
  turn.then(() => queues.get(queue) === turn && queues.delete(queue))
}

const toBot = (path, body) => post(WEBHOOK_URL + path, { authorization: `Bearer ${ACCESS_KEY}` }, body)

const toChatwoot = (conversationId, path, body) => {
  const url = `${CHATWOOT_URL}/api/v1/accounts/${CHATWOOT_ACCOUNT}/conversations/${encodeURIComponent(conversationId)}/${path}`
  return post(url, { api_access_token: CHATWOOT_TOKEN }, body)
}

/** Posts JSON, or a form, until it is taken or refused, with growing pauses. Throws after an hour. */
const post = async (url, headers, body) => {
  const isForm = body instanceof FormData
  const type = isForm ? {} : { 'content-type': 'application/json' }
  const request = { method: 'POST', headers: { ...headers, ...type }, body: isForm ? body : JSON.stringify(body) }
  const end = Date.now() + 60 * 60_000
  for (let pauseMs = 1000; Date.now() < end; pauseMs = Math.min(pauseMs * 2, 30_000)) {
    const response = await fetch(url, { ...request, signal: AbortSignal.timeout(60_000) }).catch(() => undefined)
    const answer = await response?.text().catch(() => '')
    if (response?.ok) return { ok: true, answer }
    console.error(`${url}: ${response ? `${response.status} ${answer}` : 'no answer'}`)
    if (response && response.status !== 429 && response.status < 500) return { ok: false, answer }
    const askedMs = Number(response?.headers.get('retry-after')) * 1000 || 0
    await sleep(Math.max(pauseMs, askedMs))
  }
  throw new Error(`${url}: given up after an hour`)
}

/** What the bot said while this was down is delivered now, and also what may have arrived: repeats are dropped. */
const catchUp = async (delivery) => {
  for (let inVain = 0; inVain < 10;) {
    const { ok, answer } = await toBot('/redeliveries', { delivery })
    const { delivered, more, reason } = ok ? JSON.parse(answer) : {}
    if (reason) console.error(`Not caught up: ${reason}`)
    if (!more) return
    inVain = delivered > 0 ? 0 : inVain + 1
    if (delivered === 0) await sleep(5000) // Another redelivery may be at work.
  }
}

// ---- Who sends

const hmac = (key, signed) => createHmac('sha256', key).update(signed)
const isFresh = (timestamp) => Math.abs(Date.now() / 1000 - timestamp) < 5 * 60

const isEqual = (given, expected) => {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}

/** By Standard Webhooks: https://www.standardwebhooks.com */
const isFromBot = ({ 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signatures = '' }, body) => {
  const key = Buffer.from(SIGNING_SECRET.replace('whsec_', ''), 'base64')
  const expected = `v1,${hmac(key, `${id}.${at}.${body}`).digest('base64')}`
  return isFresh(at) && signatures.split(' ').some((signature) => isEqual(signature, expected))
}

/** The agent bot has one secret, and the account's webhook another. */
const isFromChatwoot = ({ 'x-chatwoot-timestamp': at, 'x-chatwoot-signature': signature = '' }, body) =>
  isFresh(at) &&
  CHATWOOT_SECRETS.trim()
    .split(/\s+/)
    .some((secret) => isEqual(signature, `sha256=${hmac(secret, `${at}.${body}`).digest('hex')}`))

// ---- The server

const PATHS = new Map([
  ['/bot', { isGenuine: isFromBot, take: onBot, idHeader: 'webhook-id' }],
  ['/chatwoot', { isGenuine: isFromChatwoot, take: onChatwoot, idHeader: 'x-chatwoot-delivery' }],
])

const seen = new Set() // A backend that runs for months has a table with the ids of the last day.

const server = createServer(async (request, response) => {
  const body = await text(request).catch(() => undefined)
  if (body === undefined) return // The connection broke.
  const path = PATHS.get(request.url)
  if (!path) return response.writeHead(404).end()
  if (!path.isGenuine(request.headers, body)) return response.writeHead(401).end()
  response.writeHead(204).end() // First the answer, then the work.
  const id = request.headers[path.idHeader]
  if (id && seen.has(id)) return
  seen.add(id)
  try {
    path.take(JSON.parse(body), request.headers)
  } catch (error) {
    console.error(error)
  }
})

server.listen(Number(PORT), async () => {
  console.log(`Listening on port ${PORT}`)
  for (const delivery of ['failed', 'unknown'])
    await catchUp(delivery).catch((error) => console.error(`Not caught up: ${error.message}`))
})

// What was taken is passed on before the end.
process.on('SIGTERM', async () => {
  server.close()
  while (queues.size > 0) await Promise.all(queues.values())
  process.exit()
})
