import { botInFile } from './bot/bot-in-file'
import { startSandbox as start } from './sandbox'

// What others build on: these types name nothing from elsewhere.

/** What the bot gets, with the ids that the backend chose: a message, or an event under the name that the backend gave it. */
export type BotInput = {
  type: string
  payload: Record<string, any>
  conversationId?: string
  userId?: string
  /** If it is an event. */
  event?: { eventId?: string }
}

/** A text, or any message. */
export type BotReply = string | { type: string; payload: Record<string, unknown> }

/** What the bot says to a message, in order. */
export type Bot = (input: BotInput) => BotReply | BotReply[] | undefined | Promise<BotReply | BotReply[] | undefined>

export type StartOptions = {
  /** Default: 0, a free one. */
  port?: number
  /** Where the bot's messages go. Default: an endpoint of the sandbox, which takes everything. */
  endpoint?: string
  /** The access key that lets a backend in; two, with a space between them, while one is being replaced. */
  key?: string
  /** The Personal Access Token that lets a backend in. Default: `bp_pat_sandbox`. */
  token?: string
  /** What messages are signed with, `whsec_…`; two, with a space between them, while one is being replaced. */
  secret?: string
  /** A header for the messages to the endpoint, as `Name: value`. */
  header?: string
  /** Writes every message of the bot as text, and takes a number for the option that it stands before. Default: no. */
  plainText?: boolean
  /** The bot's messages are not posted, but wait until they are fetched: without `endpoint`. Default: no. */
  pull?: boolean
  /** How many instances of the integration there are at most. Default: 4. */
  instances?: number
  /** Serves the inspector. Default: no. */
  page?: boolean
  /** A function, or the path of an ES module whose default export is one. Default: the demo bot. */
  bot?: Bot | string
  /** Gets each line that the integration logs for the bot's owner, and the bot's own errors. Default: console.error. */
  onLog?: (line: string) => void
}

/** What goes wrong with requests, to the endpoint or of the integration to Botpress. */
export type Faults = {
  endpoint?: {
    /** The answer, 300 to 599. */
    status?: number
    /** No connection can be made. */
    down?: boolean
    /** There is no answer. */
    hang?: boolean
    /** The connection is closed without an answer. */
    reset?: boolean
    /** The answer comes so much later: the endpoint's own, if nothing else goes wrong. */
    delayMs?: number
    /** Default: until it is mended. */
    times?: number
  }
  botpress?: { status?: number; delayMs?: number; times?: number }
}

/** Of which there should be `count`, in a conversation or in all, within `waitSeconds`. */
export type Wanted = { conversationId?: string; count?: number; waitSeconds?: number }

/** What the bot has received. */
export type Received = {
  kind: 'message' | 'event'
  type: string
  payload: object
  conversationId?: string
  userId?: string
  /** Of a message. */
  messageId?: string
  /** Of an event that has one. */
  eventId?: string
}

/** A message of the bot, and what became of it. */
export type Delivery = {
  botpressMessageId: string
  conversationId?: string
  type: string
  payload: object
  /** `delivered`, or the mark of one that is not; absent while its first delivery has not ended. */
  outcome?: string
  /** Why it was not delivered, in the integration's words. */
  error?: string
  /** The requests to the endpoint, with their statuses, or why there was none. */
  tries: { status?: number; error?: string; ms: number }[]
}

export type Sandbox = {
  webhookUrl: string
  /** What `Authorization: Bearer` takes. */
  credential: string
  /** Where programs in any language do what follows, over HTTP. */
  controlUrl: string
  /** Lets the bot write first. Resolves when the delivery has ended. */
  say(conversationId: string, reply: BotReply): Promise<{ botpressMessageId: string }>
  /** What the bot has received since the start or the last reset, oldest first. Waits for `count`. */
  received(wanted?: Wanted): Promise<Received[]>
  /** What became of what the bot said. Waits until `count` have ended. */
  deliveries(wanted?: Wanted): Promise<Delivery[]>
  /** From now on nothing but this goes wrong; with nothing, all is mended. */
  setFaults(faults?: Faults): void
  /** Forgets conversations, users, messages, deliveries and faults, and ends the instances. */
  reset(): Promise<void>
  close(): Promise<void>
}

/**
 * Starts an embedded Botpress cloud with a bot, and the Messaging API integration installed in it.
 *
 * @throws Error if the endpoint does not take the test message, the integration refuses its configuration, or the port is taken
 */
export const startSandbox = async (options: StartOptions = {}): Promise<Sandbox> => {
  const { port, endpoint, key, token, secret, header, plainText, pull, instances, page, bot, onLog, ...unknown } =
    options
  const names = Object.keys(unknown)
  if (names.length > 0) throw new Error(`There is no option ${names.join(', ')} of startSandbox.`)
  const { control, close } = await start({
    port,
    endpoint,
    token,
    plainText,
    pull,
    page,
    bot: typeof bot === 'string' ? await botInFile(bot) : bot,
    onLog: onLog ?? console.error,
    accessKey: key,
    signingSecret: secret,
    endpointHeader: header,
    maxInstances: instances,
  })
  const { webhookUrl, credential, controlUrl } = control.access
  return {
    webhookUrl,
    credential,
    controlUrl,
    say: (conversationId, reply) => control.say(conversationId, reply),
    received: (wanted) => control.received(wanted),
    deliveries: (wanted) => control.deliveries(wanted),
    setFaults: (faults) => control.setFaults(faults),
    reset: () => control.reset(),
    close,
  }
}
