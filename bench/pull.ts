import { setTimeout as sleep } from 'node:timers/promises'
import { type Sandbox, startSandbox } from '../sandbox/sandbox'
import { send } from '../tests/harness/backend'

// What it costs to fetch the bot's messages in place of having them posted: npm run bench:pull

const LATENCY_MS = 20

const MESSAGES = 200
const BACKLOG = { messages: 1000, conversations: 50 }
const IDLE_SECONDS = 60

type Pulled = { messages: { botpressMessageId: string }[] }

const start = async () => {
  let calls = 0
  const sandbox = await startSandbox({
    pull: true,
    bot: () => [],
    onApiCall: () => {
      calls++
      return { delayMs: LATENCY_MS }
    },
  })
  const pull = async (taken: string[], prefer?: string): Promise<string[]> => {
    const { body } = await send(sandbox, { taken }, { path: '/pull', headers: prefer ? { prefer } : {} })
    return (body as Pulled).messages.map(({ botpressMessageId }) => botpressMessageId)
  }
  return { sandbox, pull, calls: () => calls }
}

const say = (sandbox: Sandbox, conversation: number) => {
  const input = { channel: 'channel', tags: { id: `${conversation}` } }
  const { id } = sandbox.chat.operations.getOrCreateConversation(input).conversation
  return sandbox.say(id, { type: 'text', payload: { text: 'Hello' } })
}

/** One message after the other, while a backend waits for them. */
const live = async () => {
  const { sandbox, pull, calls } = await start()
  const times: number[] = []
  let saidAt = 0
  let taken: string[] = []
  const before = calls()
  while (times.length < MESSAGES) {
    const waiting = pull(taken, 'wait=25')
    // It looks by then.
    await sleep(50 + Math.random() * 500)
    saidAt = performance.now()
    void say(sandbox, 1)
    taken = await waiting
    times.push(performance.now() - saidAt)
  }
  const sorted = times.toSorted((a, b) => a - b)
  const figures = {
    messages: MESSAGES,
    apiCallsPerMessage: Number(((calls() - before) / MESSAGES).toFixed(1)),
    medianMs: Math.round(sorted[Math.floor(MESSAGES / 2)]!),
    p95Ms: Math.round(sorted[Math.floor(MESSAGES * 0.95)]!),
  }
  await sandbox.close()
  return figures
}

const backlog = async () => {
  const { sandbox, pull, calls } = await start()
  for (let index = 0; index < BACKLOG.messages; index += 20) {
    await Promise.all(Array.from({ length: 20 }, (_, more) => say(sandbox, (index + more) % BACKLOG.conversations)))
  }
  const before = calls()
  const begun = performance.now()
  let pulls = 0
  for (let taken = await pull([]); taken.length > 0; taken = await pull(taken)) pulls++
  const figures = {
    ...BACKLOG,
    pulls,
    apiCallsPerMessage: Number(((calls() - before) / BACKLOG.messages).toFixed(2)),
    seconds: Math.round((performance.now() - begun) / 1000),
  }
  await sandbox.close()
  return figures
}

/** A backend that always waits, while nothing happens. */
const idle = async () => {
  const { sandbox, calls } = await start()
  const before = calls()
  const end = Date.now() + IDLE_SECONDS * 1000
  while (Date.now() < end) await send(sandbox, {}, { path: '/pull', headers: { prefer: 'wait=20' } })
  const figures = { seconds: IDLE_SECONDS, apiCalls: calls() - before }
  await sandbox.close()
  return figures
}

const main = async () => {
  console.table([await live()])
  console.table([await backlog()])
  console.table([await idle()])
}

main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
