import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import type { ApiCall } from '../sandbox/cloud/chat/chat-api'
import type { IntegrationResponse } from '../sandbox/cloud/function-host/integration-call'
import { type Sandbox, startSandbox } from '../sandbox/sandbox'
import { startEndpoint } from '../tests/harness/endpoint'

export type Figures = {
  firstMessageCalls: number
  firstMessageLatencies: number
  laterMessageCalls: number
  laterMessageLatencies: number
  apiConnections: number
  endpointConnections: number
  inPerSecondOfOne: number
  inPerSecondOfFour: number
  outPerSecondOfOne: number
  outPerSecondOfFour: number
}

const LATENCY_MS = 100
const THROUGHPUT_MESSAGES = 2000

let count = 0

const send = async (sandbox: Sandbox, conversation: number): Promise<void> => {
  const body = {
    userId: `user ${conversation}`,
    conversationId: `conversation ${conversation}`,
    messageId: `message ${count++}`,
    type: 'text',
    text: 'Hello',
  }
  const headers = { authorization: `Bearer ${sandbox.token}` }
  mustSucceed(await sandbox.receive({ method: 'POST', path: '', query: '', headers, body: JSON.stringify(body) }))
}

const say = async (sandbox: Sandbox, conversationId: string): Promise<void> =>
  mustSucceed(await sandbox.say(conversationId, { type: 'text', payload: { text: 'Hello' } }))

const mustSucceed = ({ status, body }: IntegrationResponse) => {
  if (status !== 200) throw new Error(`${status} ${body}`)
}

/** Does `work` for each number below `times`, so many at once. */
const inParallel = async (times: number, concurrency: number, work: (index: number) => Promise<void>) => {
  let next = 0
  const worker = async () => {
    while (next < times) await work(next++)
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
}

const perSecond = async (concurrency: number, work: (index: number) => Promise<void>): Promise<number> => {
  await inParallel(THROUGHPUT_MESSAGES / 5, concurrency, work)
  const start = performance.now()
  await inParallel(THROUGHPUT_MESSAGES, concurrency, work)
  return THROUGHPUT_MESSAGES / ((performance.now() - start) / 1000)
}

/** What a message costs against a cloud that is as far away as a real one. */
const costOfMessages = async (bundle: string) => {
  let calls: ApiCall[] = []
  const endpoint = await startEndpoint((response) => response.writeHead(200).end('thanks'))
  const sandbox = await startSandbox({
    bundle,
    maxInstances: 1,
    endpoint: endpoint.url,
    bot: () => [],
    onApiCall: (call) => {
      calls.push(call)
      return { delayMs: LATENCY_MS }
    },
  })
  const cost = async (conversation: number) => {
    calls = []
    const start = performance.now()
    await send(sandbox, conversation)
    return { calls: calls.length, latencies: (performance.now() - start) / LATENCY_MS }
  }
  for (let index = 0; index < 20; index++) await send(sandbox, 0)
  const apiConnections = new Set(calls.map(({ connection }) => connection)).size
  const first = await cost(1)
  const later = await cost(1)
  const conversationId = sandbox.chat.conversations.all()[0]!.id
  for (let index = 0; index < 20; index++) await say(sandbox, conversationId)
  const endpointConnections = endpoint.connections()
  await sandbox.close()
  await endpoint.close()
  return {
    firstMessageCalls: first.calls,
    firstMessageLatencies: first.latencies,
    laterMessageCalls: later.calls,
    laterMessageLatencies: later.latencies,
    apiConnections,
    endpointConnections,
  }
}

/**
 * How much goes through so many instances that are all at work, against a cloud and an endpoint that answer at once. The
 * machine has to do their work too.
 */
const throughput = async (bundle: string, maxInstances: number) => {
  const endpoint = await startEndpoint((response) => response.writeHead(200).end('thanks'))
  const sandbox = await startSandbox({ bundle, maxInstances, endpoint: endpoint.url, bot: () => [] })
  const inPerSecond = await perSecond(maxInstances, (index) => send(sandbox, index % maxInstances))
  const conversations = sandbox.chat.conversations.all()
  const outPerSecond = await perSecond(maxInstances, (index) =>
    say(sandbox, conversations[index % conversations.length]!.id)
  )
  await sandbox.close()
  await endpoint.close()
  return { inPerSecond, outPerSecond }
}

/** The instance's heap in MB, before and after 20,000 messages in 10,000 conversations. */
export const memory = async (bundle: string) => {
  const sandbox = await startSandbox({ bundle, maxInstances: 1, bot: () => [] })
  await send(sandbox, 0)
  const before = await sandbox.heapUsed()
  await inParallel(20_000, 1, (index) => send(sandbox, index % 10_000))
  const after = await sandbox.heapUsed()
  await sandbox.close()
  return { before: before / 1024 / 1024, after: after / 1024 / 1024 }
}

/** How long a fresh process takes to load a bundle. */
export const loadMs = (bundle: string): number => {
  const code = `const start = performance.now(); require(${JSON.stringify(bundle)}); console.log(performance.now() - start)`
  return Number(execFileSync(process.execPath, ['-e', code], { encoding: 'utf8' }))
}

export const sizeKb = (bundle: string): number => statSync(bundle).size / 1000

/** What is measured in turns. */
export const measure = async (bundle: string): Promise<Figures> => {
  const cost = await costOfMessages(bundle)
  const one = await throughput(bundle, 1)
  const four = await throughput(bundle, 4)
  return {
    ...cost,
    inPerSecondOfOne: one.inPerSecond,
    inPerSecondOfFour: four.inPerSecond,
    outPerSecondOfOne: one.outPerSecond,
    outPerSecondOfFour: four.outPerSecond,
  }
}
