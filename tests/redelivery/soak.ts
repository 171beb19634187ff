import { setTimeout as sleep } from 'node:timers/promises'
import type { ApiCall, Fault } from '../../sandbox/cloud/chat/chat-api'
import { type Sandbox, startSandbox } from '../../sandbox/sandbox'
import { type Answer, send } from '../harness/backend'
import { startEndpoint } from '../harness/endpoint'
import { MINUTE } from './missed-message'

export type SoakOptions = { messages: number; conversations: number; concurrency: number }

export type SoakReport = {
  sent: number
  /** Requests that a sender made again, after 429 or 5xx. */
  repeated: number
  /** Instances that were ended while they worked. */
  endedInstances: number
  seenByBot: number
  /** Messages that the bot saw more than once. */
  doubled: number
  repliesMade: number
  /** Replies that arrived at least once. */
  delivered: number
  /** Replies that the endpoint always fails on, and that are still marked at the end. */
  keptBad: number
  /** Replies that were marked after a try that failed. */
  marked: number
  /** Replies that arrived after their own delivery had ended without success, and before anybody asked for them. */
  redeliveredByThemselves: number
  redeliveredOnRequest: number
  /** Replies whose instance was ended before Botpress had taken a mark; all of them were found in their conversations. */
  foundByReading: number
  /** Requests to the endpoint for a reply that had arrived already, known by their `webhook-id`. */
  repeatsTold: number
  /** Replies that arrived under more than one `webhook-id`: repeats that could not be told. */
  repeatsNotTold: number
  /** Messages that the bot never saw, and replies that neither arrived nor were found by reading. */
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

/** What the endpoint always answers to some replies: 502 is what a gateway answers for an endpoint that crashes. */
const BAD = new Map([
  ['Reply to message 20', 500],
  ['Reply to message 40', 500],
  ['Reply to message 60', 502],
])

const INSTANCES = 12

/** After the outage, at these shares of all messages, a minute passes at once, as for instances that were frozen. */
const THAWS = new Set([0.6, 0.7, 0.8, 0.9])

/** Between the ends of two instances. */
const LIFE_MS = 2500

const oneInTen = () => Math.random() < 0.1

const oneOf = <T>(choices: T[]): T => choices[Math.floor(Math.random() * choices.length)]!

/**
 * Sends many messages through a cloud and to an endpoint that each fail one request in ten. The endpoint is down for a tenth
 * of them in the middle, and for the last ones; all the while instances are ended at their work. Then asks for what was
 * missed, and counts what became of everything. A few replies are never taken: they must not keep others waiting.
 */
export const soak = async ({ messages, conversations, concurrency }: SoakOptions): Promise<SoakReport> => {
  const start = performance.now()
  const seen = new Map<string, number>()
  /** By the text of a reply. */
  const arrivals = new Map<string, Set<string>>()
  /** By the id of a reply. */
  const failures = new Map<string, number>()
  const marked = new Set<string>()
  const undelivered = new Set<string>()
  const brokenOff = new Set<string>()
  let repeated = 0
  let repeatsTold = 0
  let endedInstances = 0
  let redeliveredByThemselves = 0
  let keptBad = 0
  let next = 0
  let isOver = false

  const isDown = () => !isOver && ((next > messages * 0.45 && next <= messages * 0.55) || next > messages * 0.98)

  const endpoint = await startEndpoint(async (response, { headers, body }) => {
    const id = String(headers['webhook-id'])
    const { text } = body.payload as { text: string }
    const always = BAD.get(text)
    if (always !== undefined) return void response.writeHead(always).end()
    const failed = failures.get(id) ?? 0
    const mayFail = !isOver && failed < MAX_FAILURES_OF_ONE_REPLY
    const fault = isDown() ? '503' : oneInTen() && mayFail ? oneOf(['500', '503', 'reset', 'slow']) : undefined
    if (fault === '500' || fault === '503') {
      failures.set(id, failed + 1)
      response.writeHead(Number(fault), fault === '503' ? { 'retry-after': '1' } : {}).end()
      return
    }
    const ids = arrivals.get(text) ?? new Set()
    if (ids.has(id)) repeatsTold++
    else if (undelivered.has(id) && !isOver) redeliveredByThemselves++
    arrivals.set(text, ids.add(id))
    if (fault === 'slow') await sleep(500)
    if (fault === 'reset') {
      failures.set(id, failed + 1)
      response.socket!.resetAndDestroy()
      return
    }
    response.writeHead(200).end('thanks')
  })
  const onApiCall = ({ operation, input }: ApiCall): Fault | undefined => {
    const fault = oneInTen() ? oneOf(CLOUD_FAULTS) : undefined
    const isTaken = fault === undefined || fault.reset === 'after write'
    const { delivery } = Object(input['tags'])
    if (operation === 'updateMessage' && delivery === 'failed' && isTaken) marked.add(String(input['id']))
    return fault
  }
  const sandbox: Sandbox = await startSandbox({
    endpoint: endpoint.url,
    maxInstances: INSTANCES,
    onApiCall,
    onDelivery: ({ message, error }) => {
      if (error === undefined) return
      undelivered.add(message.id)
      if (error.includes('its instance was ended')) brokenOff.add(message.id)
    },
    bot: ({ payload }) => {
      const words = String(payload.text)
      seen.set(words, (seen.get(words) ?? 0) + 1)
      return [{ type: 'text', payload: { text: `Reply to ${words}` } }]
    },
  })
  let peakMemory = 0
  const watch = setInterval(() => (peakMemory = Math.max(peakMemory, process.memoryUsage().rss)), 100)
  const reaper = setInterval(() => {
    const busy = sandbox.instances.filter(({ isBusy }) => isBusy)
    if (busy.length === 0) return
    endedInstances++
    void sandbox.endInstance(oneOf(busy).number)
  }, LIFE_MS)

  /** Makes a request until it succeeds: all of them are safe to make again. */
  const ask = async (...request: Parameters<typeof send>): Promise<Answer> => {
    const answer = await send(...request)
    if (answer.status === 200) return answer
    if (answer.status !== 429 && answer.status < 500) throw new Error(`${answer.status} ${answer.text}`)
    repeated++
    await sleep(100)
    return ask(...request)
  }

  const sendUntilTaken = async (number: number): Promise<void> => {
    if (THAWS.has(number / messages)) sandbox.elapse(MINUTE)
    const body = {
      userId: `user ${number % conversations}`,
      conversationId: `conversation ${number % conversations}`,
      messageId: `message ${number}`,
      type: 'text',
      text: `message ${number}`,
    }
    await ask(sandbox, body, { mayBreakOff: true })
  }
  const sender = async () => {
    while (next < messages) await sendUntilTaken(next++)
  }

  /** As a backend does when it starts: asks while something is delivered, and a minute later if nothing was tried. */
  const redeliver = async (delivery: string, isRepeat = false): Promise<number> => {
    const { body } = await ask(sandbox, { delivery }, { path: '/redeliveries' })
    if (!body.more || (isRepeat && body.delivered === 0 && body.undelivered > 0)) return body.delivered
    // Where Botpress failed while the lock was given back, it is held for 45 s.
    if (body.delivered === 0) sandbox.elapse(MINUTE)
    return body.delivered + (await redeliver(delivery, body.delivered === 0))
  }

  const textsIn = async (conversationId: string, nextToken = ''): Promise<string[]> => {
    const path = `/messages?${new URLSearchParams({ conversationId, nextToken })}`
    const { body } = await ask(sandbox, undefined, { method: 'GET', path })
    const texts = body.messages.map(({ payload }: { payload: { text: string } }) => payload.text)
    return body.meta.nextToken ? [...texts, ...(await textsIn(conversationId, body.meta.nextToken))] : texts
  }

  let redeliveredOnRequest: number
  const missing: { isExcused: boolean; isRead: boolean }[] = []
  try {
    await Promise.all(Array.from({ length: concurrency }, sender))
    await sandbox.settled()
    clearInterval(reaper)
    isOver = true
    // An instance that was ended in its redelivery holds the lock for 45 s.
    sandbox.elapse(MINUTE)
    redeliveredOnRequest = (await redeliver('failed')) + (await redeliver('unknown'))
    for (const { id, payload, conversationId, direction, tags } of sandbox.chat.messages.all()) {
      if (direction === 'incoming' || arrivals.has(String(payload.text))) continue
      if (BAD.has(String(payload.text)) && tags['delivery']) {
        keptBad++
        continue
      }
      const texts = await textsIn(sandbox.chat.conversations.get(conversationId).tags['id']!)
      missing.push({
        isExcused: brokenOff.has(id) && !marked.has(id),
        isRead: texts.includes(String(payload.text)),
      })
    }
  } finally {
    clearInterval(reaper)
    clearInterval(watch)
    await sandbox.close()
    await endpoint.close()
  }

  const foundByReading = missing.filter(({ isExcused, isRead }) => isExcused && isRead).length
  return {
    sent: messages,
    repeated,
    endedInstances,
    seenByBot: seen.size,
    doubled: [...seen.values()].filter((times) => times > 1).length,
    repliesMade: sandbox.chat.messages.all().filter(({ direction }) => direction === 'outgoing').length,
    delivered: arrivals.size,
    keptBad,
    marked: marked.size,
    redeliveredByThemselves,
    redeliveredOnRequest,
    foundByReading,
    repeatsTold,
    repeatsNotTold: [...arrivals.values()].filter((ids) => ids.size > 1).length,
    lost: messages - seen.size + missing.length - foundByReading,
    peakMemoryMb: Math.round(peakMemory / 1024 / 1024),
    seconds: Math.round((performance.now() - start) / 1000),
  }
}

/** Whether every message was seen exactly once, and every reply arrived or was found by reading, its repeats told. */
export const isFlawless = ({
  sent,
  seenByBot,
  doubled,
  repliesMade,
  lost,
  keptBad,
  repeatsNotTold,
}: SoakReport): boolean =>
  seenByBot === sent &&
  repliesMade === sent &&
  doubled === 0 &&
  lost === 0 &&
  keptBad <= BAD.size &&
  repeatsNotTold === 0
