import { randomUUID } from 'node:crypto'
import { parseArgs } from 'node:util'
import open from 'open'
import type { Delivery } from './installation'
import { RegistrationError, type Sandbox, startSandbox } from './sandbox'

const readOptions = () => {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '3000' },
      token: { type: 'string', default: 'bp_pat_sandbox' },
      endpoint: { type: 'string' },
      secret: { type: 'string' },
      once: { type: 'boolean', default: false },
      'no-page': { type: 'boolean', default: false },
      open: { type: 'boolean', default: false },
    },
  })
  const port = Number(values.port)
  if (!/^\d+$/.test(values.port) || port > 65_535) {
    throw new Error(`--port takes a number from 0 to 65535, not "${values.port}".`)
  }
  return { ...values, port }
}

const main = async (): Promise<void> => {
  const { once, port, token, endpoint, secret: signingSecret, 'no-page': noPage, open: openPage } = readOptions()
  const page = !once && !noPage
  const deliveries: TimedDelivery[] = []
  const sandbox = await startSandbox({
    port,
    token,
    endpoint,
    signingSecret,
    page,
    onDelivery: (delivery) =>
      once ? deliveries.push({ ...delivery, at: performance.now() }) : console.log(transcript(delivery)),
    onLog: (line) => console.error(line),
  })
  if (once) {
    try {
      console.log(await roundTrip(sandbox, deliveries))
    } finally {
      await sandbox.close()
    }
    return
  }
  console.log(introduction(sandbox, { endpoint, page }))
  if (page && openPage) {
    const browser = await open(pageUrl(sandbox))
    browser.once('error', ({ message }) => console.error(`The page could not be opened in a browser: ${message}`))
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void sandbox.close())
}

const ONCE_WAIT_SECONDS = 20

type TimedDelivery = Delivery & { at: number }

/**
 * Sends the bot one message, and waits for the reply in the answer and at the endpoint.
 *
 * @returns a report
 * @throws Error that says why there was no reply
 */
const roundTrip = async (sandbox: Sandbox, deliveries: TimedDelivery[]): Promise<string> => {
  const start = performance.now()
  const response = await fetch(sandbox.webhookUrl, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${sandbox.token}`,
      'content-type': 'application/json',
      prefer: `wait=${ONCE_WAIT_SECONDS}`,
    },
    body: JSON.stringify({
      userId: 'ada',
      conversationId: 'tea',
      messageId: randomUUID(),
      type: 'text',
      text: 'Hello',
    }),
  })
  if (!response.ok) throw new Error(`The message was refused with ${response.status}: ${await response.text()}`)
  const { replies } = (await response.json()) as { replies: object[] }
  await sandbox.settled()
  const [delivery] = deliveries
  if (replies.length === 0 || !delivery) throw new Error(`The bot did not answer within ${ONCE_WAIT_SECONDS} s.`)
  if (delivery.error !== undefined) throw new Error(delivery.error)
  return `you: Hello\n${transcript(delivery)}\nThere and back in ${Math.round(delivery.at - start)} ms.`
}

const transcript = ({ message: { type, payload }, error }: Delivery): string => {
  const said = type === 'text' ? payload.text : `${type} ${JSON.stringify(payload)}`
  return error === undefined ? `bot: ${said}` : `bot: ${said}\n     ${error}`
}

const pageUrl = ({ webhookUrl }: Sandbox): string => new URL('/', webhookUrl).href

const introduction = (sandbox: Sandbox, { endpoint, page }: { endpoint?: string; page: boolean }): string => `
The Messaging API integration runs, with a demo bot. Ctrl-C ends it.

  webhook URL   ${sandbox.webhookUrl}
  token         ${sandbox.token}
  page          ${page ? `${pageUrl(sandbox)}  (see the conversation and the wire)` : 'none'}
  replies       ${endpoint === undefined ? 'shown here; with --endpoint URL they go to your back-end' : `go to ${endpoint}`}

Send the bot a message from another terminal:

curl ${sandbox.webhookUrl} \\
  -H 'Authorization: Bearer ${sandbox.token}' \\
  -H 'Content-Type: application/json' \\
  -H 'Prefer: wait=10' \\
  -d '{"userId":"ada","conversationId":"tea","messageId":"'"$(date +%s)"'","type":"text","text":"Hello"}'
`

/** What kept the sandbox from its work, in one line, with what to do about it. */
const reasonOf = (error: unknown): string => {
  const { code, message, port } = error as NodeJS.ErrnoException & { port?: number }
  if (error instanceof RegistrationError) return `The integration refused its configuration. ${message}`
  if (code === 'EADDRINUSE') return `Port ${port} is in use. Choose another with --port N.`
  if (code === 'EACCES') return `Port ${port} is not yours to open. Choose another with --port N.`
  if (code?.startsWith('ERR_PARSE_ARGS')) {
    return `${message.split('. ')[0]}. The options are --port N, --token TOKEN, --endpoint URL, --secret whsec_…, --once, --no-page and --open.`
  }
  return message
}

main().catch((error: unknown) => {
  console.error(reasonOf(error))
  process.exitCode = 1
})
