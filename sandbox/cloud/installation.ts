import type { Conversation, Message } from '@botpress/client'
import { randomUUID } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import definition from '../../integration.definition'
import type { Bot, BotMessage } from '../bot/bot'
import { Chat } from './chat'
import { demoBot } from '../bot/demo-bot'
import type { IntegrationRequest, IntegrationResponse } from './integration-runtime'

/** A message of the bot and what became of it. */
export type Delivery = {
  message: Message
  /** Why the integration could not deliver it, where it could not. */
  error?: string
}

/** What the bot's owner configures. */
export type Configuration = {
  /** Where the bot's messages go. Default: the sandbox's own endpoint, which takes everything. */
  endpoint?: string
  signingSecret?: string
}

export type InstallationOptions = Configuration & {
  /** The Personal Access Token that may use the bot. Default: `bp_pat_sandbox`. */
  token?: string
  /** Default: the demo bot. */
  bot?: Bot
  /** Told of each message once it is in the conversation. */
  onMessage?: (message: Message, conversation: Conversation) => void
  /** Told of each message of the bot once the integration is done with it. */
  onDelivery?: (delivery: Delivery) => void
}

/** A bot, with the integration installed in it. */
export type Installation = {
  botId: string
  integrationId: string
  webhookUrl: string
  token: string
  /** The conversations, users and messages that there are. */
  chat: Chat
  /** Lets the bot write into a conversation; resolves to what the integration answered. */
  say(conversationId: string, message: BotMessage): Promise<IntegrationResponse>
  /** Calls an action of the integration, as a bot does. */
  callAction(type: string, input: object): Promise<IntegrationResponse>
  /** Changes the configuration, without registering it. */
  configure(configuration: Configuration): void
  register(): Promise<IntegrationResponse>
  unregister(): Promise<IntegrationResponse>
  /**
   * Hands a request to the integration as if the webhook had received it: any, also one that HTTP would not carry.
   *
   * @param headers of the cloud's own call, in place of this installation's
   */
  receive(req: IntegrationRequest, headers?: Record<string, string>): Promise<IntegrationResponse>
  /** Resolves once the bot has answered everything and each answer is delivered or has failed. */
  settled(): Promise<void>
}

type Surroundings = {
  webhookUrl: string
  /** Where messages go that have no endpoint. */
  ownEndpoint: string
  integrationId: string
  callIntegration: (request: IntegrationRequest) => Promise<IntegrationResponse>
}

/** Installs the integration in a new bot, without registering it. */
export const createInstallation = (
  { token = 'bp_pat_sandbox', bot = demoBot, onMessage, onDelivery, ...options }: InstallationOptions,
  { webhookUrl, ownEndpoint, integrationId, callIntegration }: Surroundings
): Installation => {
  const botId = `bot_${randomUUID()}`
  const { conversation, message } = definition.channels!.channel
  const chat = new Chat({
    integrationName: definition.name,
    channels: Object.keys(definition.channels!),
    declaredTags: {
      user: Object.keys(definition.user?.tags ?? {}),
      conversation: Object.keys(conversation?.tags ?? {}),
      message: Object.keys(message?.tags ?? {}),
    },
    onMessage: (created) => {
      onMessage?.(created, chat.conversations.get(created.conversationId))
      if (created.direction === 'incoming') track(answer(created))
    },
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

  /** The bot answers on its own time, not within the call that brought the message. */
  const answer = async ({ type, payload, conversationId }: Message): Promise<void> => {
    await setImmediate()
    for (const reply of bot({ type, payload })) track(say(conversationId, reply))
  }

  /** The last delivery of each conversation: the next one waits for it, so that replies arrive in order. */
  const deliveries = new Map<string, Promise<unknown>>()

  const say = async (conversationId: string, reply: BotMessage): Promise<IntegrationResponse> => {
    const { conversation: where } = chat.operations.getConversation({ id: conversationId })
    const created = chat.createMessage({ ...reply, conversationId, userId: botUser.id, tags: {} }, 'outgoing')
    const before = deliveries.get(conversationId)
    const delivery = Promise.resolve(before).then(() => deliver(created, where))
    deliveries.set(conversationId, delivery)
    return delivery
  }

  const deliver = async (created: Message, where: Conversation): Promise<IntegrationResponse> => {
    const { type, payload } = created
    const body = { type, payload, message: created, user: botUser, conversation: where }
    const response = await call('message_created', body)
    onDelivery?.({ message: created, ...(response.status >= 300 && { error: messageOf(response) }) })
    return response
  }

  let configuration: Configuration = options

  const headers = {
    'x-bot-id': botId,
    'x-bot-user-id': botUser.id,
    'x-integration-id': integrationId,
    'x-integration-alias': definition.name,
    'x-webhook-id': webhookUrl.slice(webhookUrl.lastIndexOf('/') + 1),
  }

  const encodedConfiguration = (): string => {
    const { endpoint = ownEndpoint, signingSecret } = configuration
    return Buffer.from(JSON.stringify({ responseEndpointURL: endpoint, signingSecret })).toString('base64')
  }

  const call = (operation: string, body: object, more: Record<string, string> = {}): Promise<IntegrationResponse> =>
    callIntegration({
      method: 'POST',
      path: '/',
      query: '',
      headers: {
        ...headers,
        'x-bp-configuration': encodedConfiguration(),
        ...more,
        'x-bp-operation': operation,
      },
      body: JSON.stringify(body),
    })

  return {
    botId,
    integrationId,
    webhookUrl,
    token,
    chat,
    say,
    callAction: (type, input) => call('action_triggered', { type, input }),
    configure: (changed) => void (configuration = changed),
    register: () => call('register', { webhookUrl }),
    unregister: () => call('unregister', { webhookUrl }),
    receive: (req, more) => call('webhook_received', { req }, more),
    settled: async () => {
      while (underWay.size > 0) await Promise.allSettled(underWay)
    },
  }
}

/** What the integration says in an answer that is an error. */
export const messageOf = ({ body }: IntegrationResponse): string => JSON.parse(body ?? '{}').message ?? body
