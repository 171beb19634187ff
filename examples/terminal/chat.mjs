// A chat with the bot in a terminal. It needs no address of its own, as it fetches what the bot says; and nothing installed.
import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

const { WEBHOOK_URL, ACCESS_KEY, USER_ID = 'ada' } = process.env
if (!WEBHOOK_URL || !ACCESS_KEY) {
  console.error('Set WEBHOOK_URL and ACCESS_KEY in the environment: see README.md beside this file.')
  process.exit(1)
}

/** Posts until it is taken: to post the same again is safe. */
const post = async (path, body, headers = {}) => {
  for (;;) {
    const response = await fetch(WEBHOOK_URL + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${ACCESS_KEY}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    }).catch(() => undefined)
    if (response?.ok) return response.json()
    if (response && response.status !== 429 && response.status < 500) {
      console.error(`${response.status} ${await response.text()}`)
      process.exit(1)
    }
    await sleep(2000)
  }
}

/** A message comes again until it is named in `taken`, so nothing is lost, whenever this program ends. */
const receive = async () => {
  let taken = []
  while (true) {
    const { messages } = await post('/pull', { taken }, { prefer: 'wait=25' })
    for (const { type, payload } of messages) {
      console.log(`bot: ${type === 'text' ? payload.text : `${type} ${JSON.stringify(payload)}`}`)
    }
    taken = messages.map(({ botpressMessageId }) => botpressMessageId)
  }
}

let sent = Promise.resolve()
createInterface({ input: process.stdin })
  .on('line', (text) => {
    if (text.trim() === '') return
    const message = { userId: USER_ID, conversationId: USER_ID, messageId: randomUUID(), type: 'text', text }
    // One after the other, so that they arrive in this order.
    sent = sent.then(() => post('', message))
  })
  .on('close', () => process.exit())
console.log('Type a message. Ctrl-D ends the chat.')
receive()
