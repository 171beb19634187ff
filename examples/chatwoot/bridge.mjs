// A bridge between Chatwoot and a bot, in Node.js, with nothing installed. While a conversation is pending, the bot answers;
// otherwise a human does, and the bot is told what was said when the conversation is pending again.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

const NEEDED = ['WEBHOOK_URL', 'ACCESS_KEY', 'SIGNING_SECRET', 'CHATWOOT_URL', 'CHATWOOT_ACCOUNT', 'CHATWOOT_TOKEN']
const missing = [...NEEDED, 'CHATWOOT_SECRETS'].filter((name) => !process.env[name])
if (missing.length > 0) {
  console.error(`Set ${missing.join(', ')} in the environment: see README.md beside this file.`)
  process.exit(1)
}
const { WEBHOOK_URL, ACCESS_KEY, CHATWOOT_URL, CHATWOOT_ACCOUNT, CHATWOOT_TOKEN, PORT = '8080' } = process.env
const { SIGNING_SECRET, CHATWOOT_SECRETS, STATE_FILE = 'chatwoot-bridge.json' } = process.env

// ---- Who sends

const isFresh = (timestamp) => Math.abs(Date.now() / 1000 - timestamp) < 5 * 60

const isEqual = (given, expected) => {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}

/** Standard Webhooks. */
const isFromBot = ({ 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signatures = '' }, body) => {
  const key = Buffer.from(SIGNING_SECRET.replace('whsec_', ''), 'base64')
  const expected = `v1,${createHmac('sha256', key).update(`${id}.${at}.${body}`).digest('base64')}`
  return isFresh(at) && signatures.split(' ').some((signature) => isEqual(signature, expected))
}

/** The agent bot and the webhook of the account have a secret each. */
const isFromChatwoot = ({ 'x-chatwoot-timestamp': at, 'x-chatwoot-signature': signature = '' }, body) =>
  isFresh(at) &&
  CHATWOOT_SECRETS.trim()
    .split(/\s+/)
    .some((key) => isEqual(signature, `sha256=${createHmac('sha256', key).update(`${at}.${body}`).digest('hex')}`))

// ---- One thing after the other, until it is taken

const queues = new Map()

/** In each queue one thing after the other, so that messages stay in order. */
const inTurn = (queue, work) => {
  const turn = (queues.get(queue) ?? Promise.resolve()).then(work).catch((error) => console.error(error))
  queues.set(queue, turn)
  turn.then(() => queues.get(queue) === turn && queues.delete(queue))
}

/** Posts JSON, or a form, until it is taken: with growing pauses, for an hour. Returns the answer; nothing after a refusal. */
const post = async (url, headers, body) => {
  const isForm = body instanceof FormData
  const request = {
    method: 'POST',
    headers: { ...headers, ...(!isForm && { 'content-type': 'application/json' }) },
    body: isForm ? body : JSON.stringify(body),
  }
  const end = Date.now() + 60 * 60_000
  for (let pauseMs = 1000; ; pauseMs = Math.min(pauseMs * 2, 30_000)) {
    const response = await fetch(url, { ...request, signal: AbortSignal.timeout(60_000) }).catch(() => undefined)
    if (response?.ok) return response.text().catch(() => '')
    const isRefused = response && response.status !== 429 && response.status < 500
    if (isRefused || Date.now() > end) {
      console.error(`${url}: ${response ? `${response.status} ${await response.text()}` : 'no answer'}`)
      return undefined
    }
    if (pauseMs === 1000) console.error(`${url}: ${response?.status ?? 'no answer'}, trying again`)
    await sleep(pauseMs)
  }
}

const toBot = (path, body) => post(WEBHOOK_URL + path, { authorization: `Bearer ${ACCESS_KEY}` }, body)

const toChatwoot = (conversationId, path, body) => {
  const url = `${CHATWOOT_URL}/api/v1/accounts/${CHATWOOT_ACCOUNT}/conversations/${encodeURIComponent(conversationId)}/${path}`
  return post(url, { api_access_token: CHATWOOT_TOKEN }, body)
}

// ---- From Chatwoot to the bot

const readState = () => {
  if (!existsSync(STATE_FILE)) return {}
  try {
    return JSON.parse(readFileSync(STATE_FILE, 'utf8'))
  } catch ({ message }) {
    console.error(`${STATE_FILE} cannot be read: ${message}. Mend it, or move it away.`)
    process.exit(1)
  }
}

/** By conversation, while humans are in charge: since when, and what was said. */
const humans = readState()

const save = () => {
  try {
    writeFileSync(`${STATE_FILE}.new`, JSON.stringify(humans))
    renameSync(`${STATE_FILE}.new`, STATE_FILE)
  } catch ({ message }) {
    console.error(`${STATE_FILE} cannot be written: ${message}`)
  }
}

/** @param line may come twice */
const note = (conversationId, line) => {
  const { lines } = (humans[conversationId] ??= { since: Date.now(), lines: [] })
  if (line && !lines.some(({ id }) => id === line.id)) lines.push(line)
  // An event has at most 128 KB, and some characters take six bytes.
  if (lines.length > 50) lines.shift()
  save()
}

/** Tells the bot, once, what was said while humans were in charge. */
const resume = async (conversationId, userId) => {
  const entry = humans[conversationId]
  if (!entry) return
  const transcript = entry.lines.map(({ from, text: words }) => ({ from, text: words }))
  // The same when it is sent again, so that the bot gets it once.
  const eventId = `resumed-${conversationId}-${entry.since}`
  const told = await toBot('/events', { conversationId, userId, type: 'resumed', eventId, payload: { transcript } })
  if (told === undefined) return // It was refused, and is tried again with the next message.
  entry.lines.splice(0, transcript.length)
  entry.since = Date.now()
  // Perhaps humans have gone on meanwhile.
  if (entry.lines.length === 0) delete humans[conversationId]
  save()
}

const mediaOf = ({ file_type: type, data_url: url, fallback_title: title, coordinates_lat, coordinates_long }) => {
  if (type === 'location') return { type, payload: { latitude: coordinates_lat, longitude: coordinates_long, title } }
  if (!url) return { type: 'text', text: title ?? type ?? 'an attachment' } // A contact, or a post that was shared.
  return ['image', 'audio', 'video'].includes(type)
    ? { type, payload: { [`${type}Url`]: url } }
    : { type: 'file', payload: { fileUrl: url } }
}

const onChatwoot = ({ event, id, content, message_type, content_attributes, ...more }) => {
  const attachments = (more.attachments ?? []).filter(Boolean)
  // Of an event of the conversation, the conversation is the event itself.
  const { id: number, status, meta } = more.conversation ?? { ...more, id }
  const { sender: contact } = meta ?? {}
  if (!contact || more.private) return
  const conversationId = String(number)
  const pictureUrl = URL.canParse(contact.thumbnail) ? new URL(contact.thumbnail).href : undefined
  const user = {
    name: String(contact.name ?? '')
      .slice(0, 200)
      .toWellFormed(),
    pictureUrl,
  }
  const base = { userId: String(contact.id), conversationId, user }
  const messages = []
  if (event === 'message_created' && message_type === 'incoming') {
    if (content) messages.push({ ...base, messageId: `${id}`, type: 'text', text: content })
    for (const [index, media] of attachments.entries())
      messages.push({ ...base, messageId: `${id}-${index}`, ...mediaOf(media) })
  }
  // The website's chat keeps what the user has chosen beside the choice.
  const chosen = event === 'message_updated' && content_attributes?.submitted_values?.[0]
  if (chosen?.title) {
    const { title, value } = chosen
    messages.push({ ...base, messageId: `${id}-chosen`, type: 'text', text: title, payload: { value } })
  }

  const parts = [
    content,
    ...attachments.map(({ data_url, fallback_title, file_type }) => data_url || fallback_title || file_type),
  ]
  const words = parts.filter(Boolean).join('\n').slice(0, 400).toWellFormed()
  const isHuman = message_type === 'incoming' || (message_type === 'outgoing' && more.sender?.type !== 'agent_bot')
  if (status !== 'pending') {
    // At once, as it may not wait behind what the bot cannot take now.
    if (event === 'message_created' && isHuman)
      note(conversationId, { id, from: message_type === 'incoming' ? 'user' : 'agent', text: words })
    else if (event === 'conversation_opened') note(conversationId) // Only of the bot's own inboxes.
    return
  }
  inTurn(`to bot ${conversationId}`, async () => {
    await resume(conversationId, base.userId)
    for (const message of messages) await toBot('', message)
  })
}

// ---- From the bot to Chatwoot

const say = (conversationId, body) => toChatwoot(conversationId, 'messages', { message_type: 'outgoing', ...body })

/** A file goes up as it is; if it cannot be fetched, its URL is said. */
const sayFile = async (conversationId, url, title = '') => {
  const response = await fetch(url, { signal: AbortSignal.timeout(30_000) }).catch(() => undefined)
  const file = response?.ok ? await response.blob().catch(() => undefined) : undefined
  if (!file) return say(conversationId, { content: [title, url].filter(Boolean).join('\n') })
  const form = new FormData()
  form.set('message_type', 'outgoing')
  form.set('content', title)
  form.set('attachments[]', file, new URL(url).pathname.split('/').pop() || 'file')
  return toChatwoot(conversationId, 'messages', form)
}

/** Chatwoot's cards have links; its buttons reach no bot, so other actions become options. */
const sayCards = async (conversationId, cards) => {
  const items = cards.map(({ title, subtitle = '', imageUrl = '', actions }) => {
    const links = (actions ?? []).filter(({ action }) => action === 'url')
    const shown = links.map(({ label, value }) => ({ type: 'link', text: label, uri: value }))
    return { title, description: subtitle, media_url: imageUrl, actions: shown }
  })
  const linked = items.filter(({ actions }) => actions.length > 0)
  if (linked.length > 0) {
    const content = { content_type: 'cards', content_attributes: { items: linked } }
    await say(conversationId, { content: linked[0].title, ...content })
  }
  for (const { title, description, media_url } of items.filter(({ actions }) => actions.length === 0))
    await say(conversationId, { content: [title, description, media_url].filter(Boolean).join('\n') })
  const options = cards.flatMap(({ title, actions }) =>
    (actions ?? [])
      .filter(({ action }) => action !== 'url')
      .map(({ label, value }) => ({ title: cards.length > 1 ? `${title}: ${label}` : label, value }))
  )
  if (options.length > 0)
    await say(conversationId, {
      content: cards[0].title,
      content_type: 'input_select',
      content_attributes: { items: options },
    })
}

const show = async (conversationId, type, payload) => {
  const { text: words, options, items = [], title, address, latitude, longitude } = payload
  if (type === 'bloc') for (const item of items) await show(conversationId, item.type, item.payload)
  else if (type === 'handoff' || payload.type === 'handoff') {
    if (words) await say(conversationId, { content: words })
    await toChatwoot(conversationId, 'toggle_status', { status: 'open' })
  } else if ((type === 'choice' || type === 'dropdown') && options?.length > 0) {
    const choices = options.map(({ label, value }) => ({ title: label, value }))
    await say(conversationId, { content: words, content_type: 'input_select', content_attributes: { items: choices } })
  } else if (type === 'card') await sayCards(conversationId, [payload])
  else if (type === 'carousel') await sayCards(conversationId, items)
  else if (['image', 'audio', 'video', 'file'].includes(type))
    await sayFile(conversationId, payload[`${type}Url`], title)
  else if (type === 'location') {
    const map = `https://www.google.com/maps/search/?api=1&query=${latitude},${longitude}`
    await say(conversationId, { content: [title, address, map].filter(Boolean).join('\n') })
  } else await say(conversationId, { content: payload.markdown ?? words ?? JSON.stringify(payload) })
}

/** By conversation: what the bot says in a burst may arrive in any order, so it waits for a moment, and is sorted. */
const bursts = new Map()

const onBot = ({ type, payload, conversationId, botpressMessageId }, { 'botpress-created-at': createdAt }) => {
  if (type === 'test') return // Of the registration: no message of the bot.
  // Of the same millisecond, the later one has the greater id.
  const message = { at: `${createdAt} ${botpressMessageId}`, type, payload }
  const burst = bursts.get(conversationId)
  if (burst) return void burst.push(message)
  bursts.set(conversationId, [message])
  inTurn(`to Chatwoot ${conversationId}`, async () => {
    await sleep(300)
    const messages = bursts.get(conversationId).toSorted((a, b) => (a.at < b.at ? -1 : 1))
    bursts.delete(conversationId)
    for (const each of messages) {
      // One that is odd holds up none of the others.
      await show(conversationId, each.type, each.payload).catch((error) => console.error(error))
    }
  })
}

/** What the bot said while this was down is delivered now, also what may have arrived: repeats are dropped. */
const catchUp = async (delivery) => {
  for (let inVain = 0; inVain < 10;) {
    const answer = (await toBot('/redeliveries', { delivery })) ?? '{}'
    const { delivered = 0, more, reason } = JSON.parse(answer)
    if (reason) console.error(`Not caught up: ${reason}`)
    if (!more) return
    inVain = delivered > 0 ? 0 : inVain + 1
    if (delivered === 0) await sleep(5000) // Another redelivery may be at work.
  }
}

// ---- The server

const PATHS = new Map([
  ['/bot', { isGenuine: isFromBot, take: onBot, idHeader: 'webhook-id' }],
  ['/chatwoot', { isGenuine: isFromChatwoot, take: onChatwoot, idHeader: 'x-chatwoot-delivery' }],
])

const seen = new Set() // A table with the ids of the last day, in a backend that runs for months.

const server = createServer(async (request, response) => {
  const body = await text(request).catch(() => undefined)
  if (body === undefined) return // The connection broke before the request was whole.
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
server.on('error', ({ message }) => {
  console.error(`Port ${PORT} cannot be opened: ${message}. Choose another with PORT.`)
  process.exit(1)
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
