import type { Message } from '@botpress/client'
import { randomUUID } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { ulid } from 'ulid'
import definition from '../../integration.definition'
import { type Bot, type BotInput, type BotMessage, eventInputOf, repliesOf } from '../bot/bot'
import { Chat } from './chat/chat'
import type { CloudEvents, Incoming } from './cloud-events'
import type { Credential } from './credential'
import type { IntegrationRequest, IntegrationResponse } from './function-host/integration-call'
import { secretsIn } from './redact'

/** What the bot's owner configures. */
export type Configuration = {
  /** Where the bot's messages go. Default: the sandbox's own endpoint, which takes everything. */
  endpoint?: string
  signingSecret?: string
  accessKey?: string
  endpointHeader?: string
  plainText?: boolean
  /** The messages are fetched, and `endpoint` is not set. */
  pull?: boolean
}

export type InstallationOptions = Configuration & {
  /** The Personal Access Token that may use the bot. Default: `bp_pat_sandbox`. */
  token?: string
  /** Default: the demo bot. */
  bot?: Bot
  /** Another installation, whose bot this one is in too. Default: a new bot. */
  inBotOf?: Pick<Installation, 'botId'>
}

/** The integration, installed in a bot. */
export type Installation = {
  botId: string
  integrationId: string
  /** Which of the bot's installations of the integration it is. */
  alias: string
  webhookUrl: string
  token: string
  /** The conversations, users and messages that there are. */
  chat: Chat
  /** Lets the bot write into a conversation; resolves to what the integration answered. */
  say(conversationId: string, message: BotMessage): Promise<IntegrationResponse & { messageId: string }>
  /**
   * Hands a message of the bot to the integration once more: it is another delivery of the same message.
   *
   * @throws ApiError ResourceNotFound where there is no such message
   */
  redeliver(messageId: string): Promise<IntegrationResponse>
  /** Calls an action of the integration, as a bot does. */
  callAction(type: string, input: object): Promise<IntegrationResponse>
  /** What lets somebody in at this installation or its endpoint, or once did. */
  credentials(): Credential[]
  /** Changes the configuration, without registering it. */
  configure(configuration: Configuration): void
  register(): Promise<IntegrationResponse>
  unregister(): Promise<IntegrationResponse>
  /** Hands a request to the integration as if the webhook had received it: any, also one that HTTP would not carry. `call` is an id for it. */
  receive(req: IntegrationRequest, call?: string): Promise<IntegrationResponse>
  /** Forgets all conversations, users, messages, events and states. */
  reset(): void
  /** Resolves once the bot has answered everything and each answer is delivered or has failed. */
  settled(): Promise<void>
}

type Surroundings = {
  integrationId: string
  alias: string
  webhookUrl: string
  /** Where messages go that have no endpoint. */
  ownEndpoint: string
  /** What answers where no bot is given. */
  demoBot: Bot
  /** Whether what is looked up and found is updated too, as it is since version 1.80 of the API. */
  updatesMatches: boolean
  events: CloudEvents
  callIntegration: (request: IntegrationRequest, call: string) => Promise<IntegrationResponse>
}

/** Installs the integration in a bot, without registering it. */
export const createInstallation = (
  options: InstallationOptions,
  { integrationId, alias, webhookUrl, ownEndpoint, demoBot, updatesMatches, events, callIntegration }: Surroundings
): Installation => {
  const { token = 'bp_pat_sandbox', bot = demoBot, inBotOf, ...configuration } = options
  const botId = inBotOf?.botId ?? `bot_${ulid()}`
  const { conversation, message } = definition.channels!.channel
  const chat = new Chat({
    botId,
    integrationName: definition.name,
    channels: Object.keys(definition.channels!),
    declaredTags: {
      user: Object.keys(definition.user?.tags ?? {}),
      conversation: Object.keys(conversation?.tags ?? {}),
      message: Object.keys(message?.tags ?? {}),
    },
    declaredStates: definition.states ?? {},
    declaredEvents: definition.events ?? {},
    updatesMatches,
    onMessage: (created, answered) => {
      events.emit('message', created, chat.conversations.get(created.conversationId), answered)
      if (created.direction === 'incoming') track(answer(created, inputOf(created)).catch(logBot))
    },
    onEvent: (event) => {
      events.emit('event', event)
      track(answer(event, eventInputOf(event)).catch(logBot))
    },
    onTags: (tagged) => events.emit('tags', tagged),
  })
  const botUser = chat.users.put({
    id: chat.users.newId(),
    createdAt: new Date().toISOString(),
    updatedAt: new Date().toISOString(),
    name: 'Bot',
    tags: {},
  })

  const underWay = new Set<Promise<unknown>>()
  const track = (work: Promise<unknown>) => {
    underWay.add(work)
    void work.finally(() => underWay.delete(work))
  }

  const logBot = (thrown: unknown) =>
    events.emit('log', `The bot: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`)
  const inputOf = ({ type, payload, conversationId, userId }: Message): BotInput => ({
    type,
    payload,
    conversationId: chat.conversations.get(conversationId).tags['id'],
    userId: chat.users.get(userId).tags['id'],
  })

  /** The bot answers on its own time, not within the call that brought what it answers. */
  const answer = async (incoming: Incoming, input: BotInput): Promise<void> => {
    await setImmediate()
    const replies = repliesOf(await bot(input))
    const { conversationId } = incoming
    if (conversationId === undefined) return
    for (const reply of replies) track(say(conversationId, reply, incoming).catch(logBot))
  }

  /** Messages that follow each other fast are delivered at the same time: an order is not promised. */
  const say = async (conversationId: string, reply: BotMessage, answered?: Incoming) => {
    chat.operations.getConversation({ id: conversationId })
    const said = chat.createBotMessage({ ...reply, conversationId, userId: botUser.id }, answered)
    return { ...(await deliver(said)), messageId: said.id }
  }

  const deliver = async (said: Message): Promise<IntegrationResponse> => {
    const { id, type, payload, conversationId } = said
    const { conversation: where } = chat.operations.getConversation({ id: conversationId })
    const body = { type, payload, message: said, user: botUser, conversation: where }
    const response = await call('message_created', body, id)
    events.emit('delivery', { message: said, ...(response.status >= 300 && { error: messageOf(response) }) })
    return response
  }

  const configurations: Configuration[] = [configuration]

  const headers = {
    'x-bot-id': botId,
    'x-bot-user-id': botUser.id,
    'x-integration-id': integrationId,
    'x-integration-alias': alias,
    'x-webhook-id': webhookUrl.slice(webhookUrl.lastIndexOf('/') + 1),
  }

  const encodedConfiguration = (): string => {
    const { endpoint, signingSecret, accessKey, endpointHeader, plainText, pull } = configurations.at(-1)!
    const responseEndpointURL = endpoint ?? (pull ? undefined : ownEndpoint)
    const configured = { responseEndpointURL, signingSecret, accessKey, endpointHeader, plainText, pull }
    return Buffer.from(JSON.stringify(configured)).toString('base64')
  }

  const call = (operation: string, body: object, id = `${operation}-${randomUUID()}`): Promise<IntegrationResponse> => {
    const operationHeaders = { 'x-bp-configuration': encodedConfiguration(), 'x-bp-operation': operation }
    const request = { method: 'POST', path: '/', query: '', headers: { ...headers, ...operationHeaders } }
    return callIntegration({ ...request, body: JSON.stringify(body) }, id)
  }

  return {
    botId,
    integrationId,
    alias,
    webhookUrl,
    token,
    chat,
    say,
    redeliver: async (messageId) => deliver(chat.messages.get(messageId)),
    callAction: (type, input) => call('action_triggered', { type, input }),
    credentials: () => [{ value: token, sort: 'Personal Access Token' }, ...configurations.flatMap(credentialsIn)],
    configure: (changed) => void configurations.push(changed),
    register: () => call('register', { webhookUrl }),
    unregister: () => call('unregister', { webhookUrl }),
    receive: (req, id) => call('webhook_received', { req }, id),
    reset: () => chat.clear(botUser.id),
    settled: async () => {
      while (underWay.size > 0) await Promise.allSettled(underWay)
    },
  }
}

const credentialsIn = ({ accessKey, endpointHeader = '' }: Configuration): Credential[] => [
  ...secretsIn(accessKey).map((value) => ({ value, sort: 'access key' })),
  ...(endpointHeader.match(/:\s*(.*\S)/)?.slice(1) ?? []).map((value) => ({ value, sort: 'endpoint header' })),
]

/** What the integration says in an answer that is an error. */
export const messageOf = ({ body }: IntegrationResponse): string => JSON.parse(body ?? '{}').message ?? body
