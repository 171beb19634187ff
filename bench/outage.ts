import { setTimeout as sleep } from 'node:timers/promises'
import type { ApiCall, Fault } from '../sandbox/cloud/chat/chat-api'
import type { ChatOperation } from '../sandbox/cloud/chat/chat'
import { type Sandbox, startSandbox } from '../sandbox/sandbox'
import { send } from '../tests/harness/backend'
import { startEndpoint } from '../tests/harness/endpoint'
import { missedMessage } from '../tests/redelivery/missed-message'

const LATENCY_MS = 20

/** Between two live messages. */
const LIVE_PAUSE_MS = 200

type Outage = { messages: number; conversations: number; instances: number }

/** An endpoint, and a sandbox whose calls to Botpress are counted. */
const start = async (maxInstances: number, faultOf: (call: ApiCall) => Fault | undefined = () => undefined) => {
  let calls = 0
  const order = new Map<unknown, number[]>()
  const endpoint = await startEndpoint((response, { body }) => {
    const { text } = body.payload as { text: string }
    order.set(body.conversationId, [...(order.get(body.conversationId) ?? []), Number(text)])
    response.writeHead(204).end()
  })
  const sandbox = await startSandbox({
    endpoint: endpoint.url,
    maxInstances,
    onApiCall: (call) => {
      calls++
      return faultOf(call) ?? { delayMs: LATENCY_MS }
    },
  })
  const close = async () => {
    await sandbox.close()
    await endpoint.close()
  }
  return { sandbox, endpoint, order, calls: () => calls, close }
}

const sayLive = (sandbox: Sandbox) => {
  const { conversation } = sandbox.chat.operations.getOrCreateConversation({ channel: 'channel', tags: { id: 'live' } })
  return sandbox.say(conversation.id, { type: 'text', payload: { text: 'live' } })
}

const isAnyMarked = ({ chat }: Sandbox) => chat.messages.all().some(({ tags }) => tags['delivery'])

/** What it costs to bring what an endpoint has missed, while the bot goes on writing. */
const redeliver = async ({ messages, conversations, instances }: Outage) => {
  const { sandbox, endpoint, order, calls, close } = await start(instances)
  for (let index = 0; index < messages; index++) {
    missedMessage(sandbox, `${index}`, { conversation: `${index % conversations}` })
  }
  // What knows the endpoint already looks at it every five minutes only.
  await sandbox.endInstance()
  const before = calls()
  const begun = performance.now()
  const live: Promise<unknown>[] = []
  while (isAnyMarked(sandbox)) {
    live.push(sayLive(sandbox))
    await sleep(LIVE_PAUSE_MS)
  }
  await Promise.all(live)
  const received = [...order].filter(([id]) => id !== 'live').map(([, numbers]) => numbers)
  const all = received.flat()
  const figures = {
    messages,
    conversations,
    instances,
    liveMessages: live.length,
    apiCalls: calls() - before,
    apiCallsPerMessage: Number(((calls() - before) / messages).toFixed(2)),
    doubled: all.length - new Set(all).size,
    outOfOrder: received.filter((numbers) => numbers.some((number, index) => number < (numbers[index - 1] ?? -1)))
      .length,
    connections: endpoint.connections(),
    seconds: Math.round((performance.now() - begun) / 1000),
  }
  await close()
  return figures
}

/** What the bot's messages cost while nothing goes wrong. */
const withoutOutage = async (messages: number) => {
  const { sandbox, calls, close } = await start(4)
  const before = calls()
  for (let index = 0; index < messages; index++) await sayLive(sandbox)
  const figures = { messages, apiCalls: calls() - before }
  await close()
  return figures
}

/** How long a redelivery on request takes at the most while Botpress does not answer. */
const whileBotpressHangs = async (operation: ChatOperation) => {
  let hangs = false
  const { sandbox, close } = await start(1, (call) =>
    hangs && call.operation === operation ? { delayMs: 300_000 } : undefined
  )
  missedMessage(sandbox, '1')
  hangs = true
  const begun = performance.now()
  const { status } = await send(sandbox, {}, { path: '/redeliveries' })
  const figures = { operation, status, seconds: Number(((performance.now() - begun) / 1000).toFixed(1)) }
  await close()
  return figures
}

const HANGING: ChatOperation[] = ['listMessages', 'getOrSetState', 'getConversation', 'updateMessage', 'setState']

const main = async () => {
  console.table([
    await redeliver({ messages: 500, conversations: 100, instances: 4 }),
    await redeliver({ messages: 10_000, conversations: 1000, instances: 10 }),
  ])
  console.table([await withoutOutage(500)])
  console.table(await Promise.all(HANGING.map(whileBotpressHangs)))
}

main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
