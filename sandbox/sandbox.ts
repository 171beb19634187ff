import type { Conversation, Message } from '@botpress/client'
import Fastify, { type FastifyRequest } from 'fastify'
import type { AddressInfo } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import definition from '../integration.definition'
import { ApiError } from './api-error'
import type { Bot, BotMessage } from './bot'
import { Chat } from './chat'
import { type ApiCall, type Fault, answerApiErrors, parseQuery, serveChatApi } from './chat-api'
import { demoBot } from './demo-bot'
import { type IntegrationRequest, type IntegrationResponse, IntegrationRuntime } from './integration-runtime'
import { serveWebhook, WEBHOOK_PATH } from './webhook'

const MAX_BODY_BYTES = 100 * 1024 * 1024

const INTEGRATION_ID = 'integration_sandbox'
const INTEGRATION_TOKEN = 'bp_iak_sandbox'
const BOT_ID = 'bot_sandbox'
const WEBHOOK_ID = 'webhook_sandbox'

/** A message of the bot and what became of it. */
export type Delivery = {
  message: Message
  /** Why the integration could not deliver it, where it could not. */
  error?: string
}

export type SandboxOptions = {
  /** 0, the default, takes a free one. */
  port?: number
  /** Where the bot's messages go. Default: the sandbox's own endpoint, which takes everything. */
  endpoint?: string
  signingSecret?: string
  /** The Personal Access Token that may use the bot. Default: `bp_pat_sandbox`. */
  token?: string
  /** Tokens that Botpress knows, of other workspaces: they may not use the bot. */
  foreignTokens?: string[]
  /** Default: the demo bot. */
  bot?: Bot
  /** More environment variables for the integration. */
  env?: Record<string, string>
  onApiCall?: (call: ApiCall) => Fault | void
  /** Told of each message of the bot once the integration is done with it. */
  onDelivery?: (delivery: Delivery) => void
  /** Told of each line that the integration logs. */
  onLog?: (line: string) => void
}

export type Sandbox = {
  webhookUrl: string
  token: string
  botId: string
  integrationId: string
  /** The integration's own token, which it finds in its environment. */
  integrationToken: string
  /** The conversations, users and messages that there are. */
  chat: Chat
  /** Lets the bot write into a conversation; resolves to what the integration answered. */
  say(conversationId: string, message: BotMessage): Promise<IntegrationResponse>
  /** Calls an action of the integration, as a bot does. */
  callAction(type: string, input: object): Promise<IntegrationResponse>
  unregister(): Promise<IntegrationResponse>
  /** Hands a request to the integration as if the webhook had received it: any, also one that HTTP would not carry. */
  receive(req: IntegrationRequest): Promise<IntegrationResponse>
  /** Ends the integration's instance, as the cloud may at any time, with all that it remembers. */
  endInstance(): Promise<void>
  /** Resolves once the bot has answered everything and each answer is delivered or has failed. */
  settled(): Promise<void>
  close(): Promise<void>
}

/** The integration did not register: its `message` is the integration's own. */
export class RegistrationError extends Error {}

/**
 * Starts an embedded Botpress cloud with one bot, and the built integration installed in it.
 *
 * @throws RegistrationError when the integration refuses its configuration; the server's error when the port is taken
 */
export const startSandbox = async (options: SandboxOptions = {}): Promise<Sandbox> => {
  const { token = 'bp_pat_sandbox', foreignTokens = [], bot = demoBot, onDelivery, onLog = () => {} } = options

  const channels = Object.keys(definition.channels ?? {})
  const { conversation, message } = definition.channels!.channel
  const chat = new Chat({
    integrationName: definition.name,
    channels,
    declaredTags: {
      user: Object.keys(definition.user?.tags ?? {}),
      conversation: Object.keys(conversation?.tags ?? {}),
      message: Object.keys(message?.tags ?? {}),
    },
    onMessage: (created) => {
      if (created.direction === 'incoming') track(answer(created))
    },
  })
  const botUser = chat.users.put({
    id: chat.users.newId(),
    createdAt: new Date().toISOString(),
    updatedAt: new Date().toISOString(),
    name: 'Demo bot',
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

  const authorize = (headers: FastifyRequest['headers']): Chat => {
    const bearer = headers.authorization?.match(/^Bearer (.+)$/)?.[1]
    if (bearer !== undefined && foreignTokens.includes(bearer)) {
      throw new ApiError('Forbidden', `The token has no right to ${headers['x-bot-id']}`)
    }
    if (bearer !== token && bearer !== INTEGRATION_TOKEN) {
      throw new ApiError('Unauthorized', 'The token is not known')
    }
    if (headers['x-bot-id'] !== BOT_ID) throw new ApiError('Forbidden', `There is no bot ${headers['x-bot-id']}`)
    if (headers['x-integration-id'] !== INTEGRATION_ID) {
      throw new ApiError('Forbidden', `The bot has no integration ${headers['x-integration-id']}`)
    }
    return chat
  }

  const server = Fastify({
    bodyLimit: MAX_BODY_BYTES,
    forceCloseConnections: true,
    routerOptions: { querystringParser: parseQuery },
    onProtoPoisoning: 'ignore',
    onConstructorPoisoning: 'ignore',
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, strict: false } },
  })
  answerApiErrors(server)
  await server.register((scope) => serveChatApi(scope, { authorize, onApiCall: options.onApiCall }))
  await server.register((scope) => serveWebhook(scope, (req) => call('webhook_received', { req })))
  // The sandbox's own endpoint: messages are looked at where they are delivered.
  server.post('/endpoint', async (_request, reply) => reply.code(204).send())

  const runtime = new IntegrationRuntime({
    env: () => ({ BP_API_URL: url, BP_TOKEN: INTEGRATION_TOKEN, ALLOW_PRIVATE_ENDPOINTS: 'true', ...options.env }),
    onLog,
  })
  await server.listen({ host: 'localhost', port: options.port ?? 0 })
  const { port } = server.server.address() as AddressInfo
  const url = `http://localhost:${port}`
  const webhookUrl = url + WEBHOOK_PATH
  const { endpoint: responseEndpointURL = `${url}/endpoint`, signingSecret } = options
  const configuration = { responseEndpointURL, signingSecret }

  const call = (operation: string, body: object): Promise<IntegrationResponse> =>
    runtime.call({
      method: 'POST',
      path: '/',
      query: '',
      headers: {
        'x-bot-id': BOT_ID,
        'x-bot-user-id': botUser.id,
        'x-integration-id': INTEGRATION_ID,
        'x-integration-alias': definition.name,
        'x-webhook-id': WEBHOOK_ID,
        'x-bp-configuration': Buffer.from(JSON.stringify(configuration)).toString('base64'),
        'x-bp-operation': operation,
      },
      body: JSON.stringify(body),
    })

  const close = async () => {
    await server.close()
    await runtime.stop()
  }

  const registration = await call('register', { webhookUrl })
  if (registration.status >= 300) {
    await close()
    throw new RegistrationError(messageOf(registration))
  }

  return {
    webhookUrl,
    token,
    botId: BOT_ID,
    integrationId: INTEGRATION_ID,
    integrationToken: INTEGRATION_TOKEN,
    chat,
    say,
    callAction: (type, input) => call('action_triggered', { type, input }),
    unregister: () => call('unregister', { webhookUrl }),
    receive: (req) => call('webhook_received', { req }),
    endInstance: () => runtime.stop(),
    settled: async () => {
      while (underWay.size > 0) await Promise.allSettled(underWay)
    },
    close,
  }
}

const messageOf = ({ body }: IntegrationResponse): string => JSON.parse(body ?? '{}').message ?? body
