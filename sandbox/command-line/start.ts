import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { clearScreenDown, cursorTo } from 'node:readline'
import open from 'open'
import pc from 'picocolors'
import { version } from '../../package.json'
import { botInFile } from '../bot/bot-in-file'
import type { Delivery } from '../cloud/cloud-events'
import { inOptions } from './in-options'
import { adviceOnOptions } from './options'
import { readStartOptions, START_COMMAND, START_HELP, START_OPTIONS } from './start-options'
import type { Sandbox } from '../sandbox'
import { Transcript } from './transcript'

const main = async (args: string[]): Promise<void> => {
  const options = readStartOptions(args)
  const {
    once,
    port,
    token,
    endpoint,
    header: [endpointHeader] = [],
    accessKey,
    signingSecret,
    credential,
    'plain-text': plainText,
    pull,
    maxInstances,
    bot: botFile,
    'ready-file': readyFile,
    json,
    'no-page': noPage,
    open: openPage,
  } = options
  if (options.help || options.version) {
    console.log(options.help ? START_HELP : version)
    return
  }
  if (once && (json || readyFile !== undefined)) throw new Error('--once takes neither --json nor --ready-file.')
  // One that an earlier sandbox has left tells of what is no longer there.
  if (readyFile !== undefined) rmSync(readyFile, { force: true })
  // Whoever reads the output may have gone.
  for (const output of [process.stdout, process.stderr]) output.on('error', () => {})
  let close = async (): Promise<void> => {}
  endOnSignals(() => close())
  const page = !once && !noPage
  const deliveries: TimedDelivery[] = []
  // With --json, the output is one line.
  const say = json ? console.error : console.log
  const isTerminal = (json ? process.stderr : process.stdout).isTTY === true
  if (isTerminal && !once && !json && IS_STARTED_BY_NPM) beginScreen()
  const transcript = new Transcript(pc.createColors(isTerminal && pc.isColorSupported))
  // So late that --help, and what is wrong with the options, is told at once.
  const { startSandbox } = await import('../sandbox')
  const sandbox = await startSandbox({
    port,
    token,
    endpoint,
    signingSecret,
    accessKey,
    endpointHeader,
    plainText,
    pull,
    maxInstances,
    bot: botFile === undefined ? undefined : await botInFile(botFile),
    page,
    watch: !once,
    startsWithoutEndpoint: !once,
    onDelivery: (delivery) => {
      if (once) deliveries.push({ ...delivery, at: performance.now() })
      else if (delivery.error !== undefined) say(outcomeOf(delivery))
    },
    onExchange: (exchange) => {
      const line = once ? undefined : transcript.lineOf(exchange)
      if (line !== undefined) say(line)
    },
    // Of one round trip, the reason of a failure is told at its end.
    onLog: (line) => once || console.error(inOptions(line)),
  })
  close = async () => {
    if (readyFile !== undefined) rmSync(readyFile, { force: true })
    await sandbox.close()
  }
  if (once) {
    try {
      console.log(await roundTrip(sandbox, credential, deliveries))
    } finally {
      await sandbox.close()
    }
    return
  }
  const ready = JSON.stringify(sandbox.control.access)
  try {
    if (readyFile !== undefined) await writeForOwner(readyFile, ready)
  } catch (error) {
    await sandbox.close()
    throw new Error(`--ready-file cannot be written: ${(error as Error).message}`, { cause: error })
  }
  console.log(json ? ready : introduction(sandbox, { endpoint, pull, page, credential, bot: botFile }))
  if (page && openPage) {
    const browser = await open(pageUrl(sandbox))
    browser.once('error', ({ message }) => console.error(`The page could not be opened in a browser: ${message}`))
  }
}

const IS_STARTED_BY_NPM = process.env['npm_lifecycle_event'] !== undefined

/** Scrolls up what npm and the build have told, as Vite does. */
const beginScreen = (): void => {
  process.stdout.write('\n'.repeat(process.stdout.rows))
  cursorTo(process.stdout, 0, 0)
  clearScreenDown(process.stdout)
}

/** Writes a file that only its owner can read, for it holds a credential. Whoever waits for it never sees a part of it. */
const writeForOwner = async (file: string, text: string): Promise<void> => {
  const part = `${file}.${process.pid}`
  await writeFile(part, text, { mode: 0o600 })
  await rename(part, file)
}

/** What is still under way a second after the signal is left. */
const END_MS = 800

/** Ends the process when it is told to, and when the npm that has started it is gone. */
const endOnSignals = (close: () => Promise<void>): void => {
  const end = () => {
    clearInterval(watch)
    setTimeout(() => process.exit(), END_MS)
    void close().finally(() => process.exit())
  }
  const ancestors = IS_STARTED_BY_NPM ? [process.ppid, ...parentOf(process.ppid)] : []
  const watch = setInterval(() => ancestors.every(isAlive) || end(), 500).unref()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, end)
}

/** npm starts a shell, and the shell this process. Windows has no `ps`, and there the shell ends with npm. */
const parentOf = (pid: number): number[] => {
  const { stdout } = spawnSync('ps', ['-o', 'ppid=', '-p', String(pid)], { encoding: 'utf8' })
  const parent = Number.parseInt(stdout ?? '', 10)
  return parent > 0 ? [parent] : []
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const ONCE_WAIT_SECONDS = 20

type TimedDelivery = Delivery & { at: number }

/**
 * Sends the bot one message, and waits for the reply in the answer and at the endpoint.
 *
 * @returns a report
 * @throws Error that says why there was no reply
 */
const roundTrip = async (sandbox: Sandbox, credential: string, deliveries: TimedDelivery[]): Promise<string> => {
  const start = performance.now()
  const response = await fetch(sandbox.webhookUrl, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${credential}`,
      'content-type': 'application/json',
      prefer: `wait=${ONCE_WAIT_SECONDS}, replies=1`,
    },
    body: JSON.stringify({
      userId: 'ada',
      conversationId: 'tea',
      messageId: randomUUID(),
      type: 'text',
      text: 'Hello',
    }),
  }).catch(({ message, cause }: Error) => {
    const reason = cause instanceof Error ? cause.message : message
    throw new Error(`The sandbox could not be reached at ${sandbox.webhookUrl}: ${reason}.`)
  })
  if (!response.ok) throw new Error(`The message was refused with ${response.status}: ${await response.text()}`)
  const { replies } = (await response.json()) as { replies: object[] }
  await sandbox.settled()
  const [delivery] = deliveries
  if (replies.length === 0 || !delivery) throw new Error(`The bot did not answer within ${ONCE_WAIT_SECONDS} s.`)
  if (delivery.error !== undefined) throw new Error(delivery.error)
  return `you: Hello\n${outcomeOf(delivery)}\nThere and back in ${Math.round(delivery.at - start)} ms.`
}

/** Why a message was not delivered is in the integration's log, which is printed too. */
const outcomeOf = ({ message: { id, type, payload }, error }: Delivery): string => {
  const said = type === 'text' ? payload.text : `${type} ${JSON.stringify(payload)}`
  if (error === undefined) return `bot: ${said}`
  return `bot, ${error.includes('may have arrived') ? 'perhaps' : 'not'} delivered: ${said} (${id})`
}

const pageUrl = ({ webhookUrl }: Sandbox): string => new URL('/', webhookUrl).href

type Shown = { endpoint?: string; pull: boolean; page: boolean; credential: string; bot?: string }

const introduction = (sandbox: Sandbox, { endpoint, pull, page, credential, bot = 'a demo bot' }: Shown): string => `
The Messaging API integration runs, with ${bot}. Ctrl-C ends it.

  webhook URL   ${sandbox.webhookUrl}
  access key    ${credential === sandbox.token ? `none; ${START_COMMAND} --key KEY takes one` : credential}
  token         ${sandbox.token}
  page          ${page ? `${pageUrl(sandbox)}  (see the conversation and the wire)` : 'none'}
  replies       ${whereRepliesGo(endpoint, pull)}

Send the bot a message from another terminal:

curl ${sandbox.webhookUrl} \\
  -H ${shell(`Authorization: Bearer ${credential}`)} \\
  -H 'Content-Type: application/json' \\
  -H 'Prefer: wait=10, replies=1' \\
  -d '{"userId":"ada","conversationId":"tea","messageId":"'"$(date +%s)"'","type":"text","text":"Hello"}'
${pull ? pulling(sandbox, credential) : ''}`

const whereRepliesGo = (endpoint: string | undefined, pull: boolean): string => {
  if (pull) return 'wait until they are fetched'
  return endpoint === undefined ? 'shown here; with --endpoint URL they go to your backend' : `go to ${endpoint}`
}

const pulling = ({ webhookUrl }: Sandbox, credential: string): string => `
Fetch the bot's messages; they come again until a request names them in "taken":

curl -X POST ${webhookUrl}/pull \\
  -H ${shell(`Authorization: Bearer ${credential}`)} \\
  -H 'Prefer: wait=25'

Or chat in a terminal:

WEBHOOK_URL=${webhookUrl} ACCESS_KEY=${shell(credential)} node examples/terminal/chat.mjs
`

const shell = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** What kept the sandbox from its work, in one line, with what to do about it. */
const reasonOf = (error: unknown): string => {
  const { code, message, port } = error as NodeJS.ErrnoException & { port?: number }
  if ((error as Error).name === 'RegistrationError')
    return `The integration refused its configuration. ${inOptions(message)}`
  if (code === 'EADDRINUSE') return `Port ${port} is in use. Choose another: ${START_COMMAND} --port N`
  if (code === 'EACCES') return `Port ${port} is not yours to open. Choose another: ${START_COMMAND} --port N`
  return adviceOnOptions(error, START_OPTIONS) ?? inOptions(message)
}

/** Runs the sandbox until it is told to end. */
export const start = (args: string[]): Promise<void> =>
  main(args).catch((error: unknown) => {
    console.error(reasonOf(error))
    process.exitCode = 1
  })
