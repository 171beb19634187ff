import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from '../sandbox/cloud/chat/chat-api'
import { startSandbox } from '../sandbox/sandbox'
import { send } from './backend'
import { startEndpoint } from './endpoint'

export type SoakOptions = { messages: number; conversations: number; concurrency: number }

export type SoakReport = {
  sent: number
  /** Requests that a sender made again, after 429 or 5xx. */
  repeated: number
  seenByBot: number
  /** Messages that the bot saw more than once. */
  doubled: number
  repliesMade: number
  /** Replies that arrived at least once. */
  delivered: number
  /** Requests to the endpoint for a reply that had arrived already, known by their `webhook-id`. */
  repeatsTold: number
  /** Replies that arrived under more than one `webhook-id`: repeats that could not be told. */
  repeatsNotTold: number
  /** Messages that the bot never saw, and replies that never arrived. */
  lost: number
  peakMemoryMb: number
  seconds: number
}

const CLOUD_FAULTS: Fault[] = [
  { answer: { status: 429 } },
  { answer: { status: 500 } },
  { answer: { status: 502 } },
  // More patience than the integration has: the sender is asked to repeat.
  { answer: { status: 503, headers: { 'retry-after': '60' } } },
  { reset: 'before write' },
  { reset: 'after write' },
]

const MAX_FAILURES_OF_ONE_REPLY = 3

const oneInTen = () => Math.random() < 0.1

const oneOf = <T>(choices: T[]): T => choices[Math.floor(Math.random() * choices.length)]!

/** Sends many messages through a cloud and to an endpoint that each fail one request in ten, and counts what became of them. */
export const soak = async ({ messages, conversations, concurrency }: SoakOptions): Promise<SoakReport> => {
  const start = performance.now()
  const seen = new Map<string, number>()
  const arrivals = new Map<string, Set<string>>()
  const failures = new Map<string, number>()
  let repeated = 0
  let repeatsTold = 0

  const endpoint = await startEndpoint(async (response, { headers, body }) => {
    const id = String(headers['webhook-id'])
    const failed = failures.get(id) ?? 0
    const fault = oneInTen() && failed < MAX_FAILURES_OF_ONE_REPLY ? oneOf(['500', '503', 'reset', 'slow']) : undefined
    if (fault === '500' || fault === '503') {
      failures.set(id, failed + 1)
      response.writeHead(Number(fault), fault === '503' ? { 'retry-after': '1' } : {}).end()
      return
    }
    const { text } = body.payload as { text: string }
    const ids = arrivals.get(text) ?? new Set()
    if (ids.has(id)) repeatsTold++
    arrivals.set(text, ids.add(id))
    if (fault === 'slow') await sleep(500)
    if (fault === 'reset') {
      failures.set(id, failed + 1)
      response.socket!.resetAndDestroy()
      return
    }
    response.writeHead(200).end('thanks')
  })
  const sandbox = await startSandbox({
    endpoint: endpoint.url,
    onApiCall: () => (oneInTen() ? oneOf(CLOUD_FAULTS) : undefined),
    bot: ({ payload }) => {
      const words = String(payload.text)
      seen.set(words, (seen.get(words) ?? 0) + 1)
      return [{ type: 'text', payload: { text: `Reply to ${words}` } }]
    },
  })
  let peakMemory = 0
  const watch = setInterval(() => (peakMemory = Math.max(peakMemory, process.memoryUsage().rss)), 100)

  const sendUntilTaken = async (number: number): Promise<void> => {
    const body = {
      userId: `user ${number % conversations}`,
      conversationId: `conversation ${number % conversations}`,
      messageId: `message ${number}`,
      type: 'text',
      text: `message ${number}`,
    }
    for (;;) {
      const { status, text } = await send(sandbox, body)
      if (status === 200) return
      if (status !== 429 && status < 500) throw new Error(`${status} ${text}`)
      repeated++
      await sleep(100)
    }
  }

  let next = 0
  const sender = async () => {
    while (next < messages) await sendUntilTaken(next++)
  }
  try {
    await Promise.all(Array.from({ length: concurrency }, sender))
    await sandbox.settled()
  } finally {
    clearInterval(watch)
    await sandbox.close()
    await endpoint.close()
  }

  const repliesMade = sandbox.chat.messages.all().filter(({ direction }) => direction === 'outgoing').length
  return {
    sent: messages,
    repeated,
    seenByBot: seen.size,
    doubled: [...seen.values()].filter((times) => times > 1).length,
    repliesMade,
    delivered: arrivals.size,
    repeatsTold,
    repeatsNotTold: [...arrivals.values()].filter((ids) => ids.size > 1).length,
    lost: messages - seen.size + (repliesMade - arrivals.size),
    peakMemoryMb: Math.round(peakMemory / 1024 / 1024),
    seconds: Math.round((performance.now() - start) / 1000),
  }
}

/** Whether every message was seen exactly once, and every reply arrived, its repeats told. */
export const isFlawless = ({ sent, seenByBot, doubled, repliesMade, lost, repeatsNotTold }: SoakReport): boolean =>
  seenByBot === sent && repliesMade === sent && doubled === 0 && lost === 0 && repeatsNotTold === 0
