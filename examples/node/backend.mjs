// A backend in Node.js, with nothing installed: each line typed is sent to the bot, each reply is printed.
import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'

const { WEBHOOK_URL, ACCESS_KEY, SIGNING_SECRET, PORT = '8080' } = process.env
const missing = ['WEBHOOK_URL', 'ACCESS_KEY', 'SIGNING_SECRET'].filter((name) => !process.env[name])
if (missing.length > 0) {
  console.error(`Set ${missing.join(', ')} in the environment: see README.md beside this file.`)
  process.exit(1)
}
const key = Buffer.from(SIGNING_SECRET.replace('whsec_', ''), 'base64')
const seen = new Set() // A table with the ids of the last day, in a backend that restarts or runs twice.

const isFromBot = (headers, body) => {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures = '' } = headers
  if (!(Math.abs(Date.now() / 1000 - timestamp) < 5 * 60)) return false
  const expected = Buffer.from(`v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`)
  return signatures.split(' ').some((signature) => {
    const given = Buffer.from(signature)
    return given.length === expected.length && timingSafeEqual(given, expected)
  })
}

const server = createServer(async (request, response) => {
  const body = await text(request).catch(() => undefined)
  if (body === undefined) return // The connection broke before the request was whole.
  if (!isFromBot(request.headers, body)) return response.writeHead(401).end()
  response.writeHead(204).end() // First the answer, then the work.
  const { 'webhook-id': id } = request.headers
  if (seen.has(id)) return
  seen.add(id)
  const { type, payload, conversationId } = JSON.parse(body)
  if (type === 'test') return // Of the registration: no message of the bot.
  console.log(`${conversationId}: ${type === 'text' ? payload.text : `${type} ${JSON.stringify(payload)}`}`)
})
server.on('error', ({ message }) => {
  console.error(`Port ${PORT} cannot be opened: ${message}. Choose another with PORT.`)
  process.exit(1)
})
server.listen(Number(PORT), async () => {
  console.log(`Listening on port ${PORT}`)
  for (const delivery of ['failed', 'unknown']) await catchUp(delivery)
})

/** Posts until it is taken: to post the same again is safe. Tells what has become of it, where that is nothing. */
const post = async (path, body, what) => {
  for (let pauseMs = 1000; ; pauseMs *= 2) {
    const response = await fetch(WEBHOOK_URL + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${ACCESS_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }).catch(() => undefined)
    if (response?.ok) return response.json()
    if (pauseMs > 30_000 || (response && response.status !== 429 && response.status < 500)) {
      console.error(`${what}: ${response ? `${response.status} ${await response.text()}` : 'no answer'}`)
      return
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
}

/** What the bot said while this was down is delivered now, and also what may have arrived: repeats are dropped. */
const catchUp = async (delivery) => {
  const { delivered, more, reason } = (await post('/redeliveries', { delivery }, 'Not caught up')) ?? {}
  if (reason) console.error(`Not caught up: ${reason}`)
  if (!more) return
  // Another redelivery may be at work.
  if (delivered === 0) await new Promise((resolve) => setTimeout(resolve, 10_000))
  await catchUp(delivery)
}

const send = (words) => {
  const message = { userId: 'ada', conversationId: 'tea', messageId: randomUUID(), type: 'text', text: words }
  return post('', message, 'Not sent')
}

createInterface({ input: process.stdin })
  .on('line', (line) => line.trim() && send(line.trim()))
  .on('close', () => process.exit()) // The terminal is closed: the port is free again.
