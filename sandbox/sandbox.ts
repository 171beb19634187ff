import Fastify, { type FastifyRequest } from 'fastify'
import type { AddressInfo } from 'node:net'
import { ApiError } from './cloud/api-error'
import type { Chat } from './cloud/chat'
import { type ApiCall, type Fault, answerApiErrors, parseQuery, serveChatApi } from './cloud/chat-api'
import { createInstallation, type Installation, type InstallationOptions, messageOf } from './cloud/installation'
import { IntegrationRuntime, type IntegrationRuntimeProps, type Runtime } from './cloud/integration-runtime'
import { serveOwnEndpoint } from './page/own-endpoint'
import { servePage } from './page/page'
import { Switches } from './page/switches'
import { serveWebhooks } from './cloud/webhooks'
import { observe, Wire } from './page/wire'

const MAX_BODY_BYTES = 100 * 1024 * 1024

const INTEGRATION_ID = 'integration_sandbox'
const INTEGRATION_TOKEN = 'bp_iak_sandbox'

export type SandboxOptions = InstallationOptions & {
  /** 0, the default, takes a free one. */
  port?: number
  /** Another bundle than the one of `npm run build`. */
  bundle?: string
  /** Runs the integration elsewhere than in a thread of this process. */
  runtime?: (props: IntegrationRuntimeProps) => Runtime
  /** Tokens that Botpress knows, of other workspaces: they may use no bot here. */
  foreignTokens?: string[]
  /** More environment variables for the integration, asked for when an instance starts. */
  env?: () => Record<string, string>
  /** Sees each call to the chat API before it is carried out, and may make it late or fail. */
  onApiCall?: (call: ApiCall) => Fault | void
  /** Serves the page, at `/`. */
  page?: boolean
  /** Told of each line that the integration logs. */
  onLog?: (line: string) => void
}

/** The cloud, and the first bot in it. */
export type Sandbox = Installation & {
  /** The integration's own token, which it finds in its environment. */
  integrationToken: string
  /**
   * Installs the integration in one more bot, in the same instance.
   *
   * @throws RegistrationError when the integration refuses its configuration
   */
  install(options?: InstallationOptions): Promise<Installation>
  /** Ends the integration's instance, as the cloud may at any time, with all that it remembers. */
  endInstance(): Promise<void>
  /** The bytes on the instance's heap, after a collection of garbage. */
  heapUsed(): Promise<number>
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
  /** By the name of their webhook in its path. */
  const installations = new Map<string, Installation>()

  const authorize = ({ authorization, ...headers }: FastifyRequest['headers']): Chat => {
    const token = authorization?.match(/^Bearer (.+)$/)?.[1]
    const all = [...installations.values()]
    const known = [
      INTEGRATION_TOKEN,
      ...all.map((installation) => installation.token),
      ...(options.foreignTokens ?? []),
    ]
    if (token === undefined || !known.includes(token)) throw new ApiError('Unauthorized', 'The token is not known')
    const { 'x-bot-id': botId, 'x-integration-id': integrationId } = headers
    const installation = all.find((candidate) => candidate.botId === botId)
    if (!installation || (token !== installation.token && token !== INTEGRATION_TOKEN)) {
      throw new ApiError('Forbidden', `The token has no right to the bot ${botId}`)
    }
    if (integrationId !== INTEGRATION_ID) {
      throw new ApiError('Forbidden', `The bot has no integration ${integrationId}`)
    }
    return installation.chat
  }

  const wire = new Wire()
  const switches = new Switches()

  const server = Fastify({
    bodyLimit: MAX_BODY_BYTES,
    forceCloseConnections: true,
    // Node's own default: idle connections of callers that keep none do not pile up.
    keepAliveTimeout: 5000,
    routerOptions: { querystringParser: parseQuery },
    onProtoPoisoning: 'ignore',
    onConstructorPoisoning: 'ignore',
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, strict: false } },
  })
  answerApiErrors(server)
  await server.register(async (scope) => {
    if (options.page) observe(scope, wire, { from: 'integration', to: 'Botpress' })
    const onApiCall = (call: ApiCall) => options.onApiCall?.(call) ?? switches.nextApiFault()
    await serveChatApi(scope, { authorize, onApiCall })
  })
  await server.register(async (scope) => {
    if (options.page) observe(scope, wire, { from: 'backend', to: 'webhook' })
    await serveWebhooks(scope, (name, req) => installations.get(name)?.receive(req))
  })
  await server.register((scope) => serveOwnEndpoint(scope, switches))
  if (options.page) {
    const start = () => {
      const { webhookUrl, token } = [...installations.values()][0]!
      return { webhookUrl, apiUrl: url, token, ownEndpoint: options.endpoint === undefined }
    }
    await server.register((scope) => servePage(scope, { wire, switches, start }))
  }

  const { runtime: createRuntime = (props: IntegrationRuntimeProps): Runtime => new IntegrationRuntime(props) } =
    options
  const runtime = createRuntime({
    bundle: options.bundle,
    env: () => ({ BP_API_URL: url, BP_TOKEN: INTEGRATION_TOKEN, ALLOW_PRIVATE_ENDPOINTS: 'true', ...options.env?.() }),
    onLog: options.onLog ?? (() => {}),
    onRequest: (exchange) => wire.put({ kind: 'exchange', exchange }),
  })
  await server.listen({ host: 'localhost', port: options.port ?? 0 })
  const url = `http://localhost:${(server.server.address() as AddressInfo).port}`

  const install = async (installationOptions: InstallationOptions = {}): Promise<Installation> => {
    const name = installations.size === 0 ? 'webhook' : `webhook-${installations.size + 1}`
    const installation = createInstallation(installationOptions, {
      webhookUrl: `${url}/${name}`,
      ownEndpoint: `${url}/endpoint`,
      integrationId: INTEGRATION_ID,
      callIntegration: (request) => runtime.call(request),
    })
    installations.set(name, installation)
    const registration = await installation.register()
    if (registration.status >= 300) throw new RegistrationError(messageOf(registration))
    return installation
  }

  const close = async () => {
    await server.close()
    await runtime.stop()
  }

  try {
    return {
      ...(await install(options.page ? { ...options, ...seenOn(wire, options) } : options)),
      integrationToken: INTEGRATION_TOKEN,
      install,
      endInstance: () => runtime.stop(),
      heapUsed: () => runtime.heapUsed(),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Puts the messages of an installation on the wire, and tells who else listens. */
const seenOn = (wire: Wire, options: InstallationOptions): Pick<InstallationOptions, 'onMessage' | 'onDelivery'> => ({
  onMessage: (message, conversation) => {
    const { id, createdAt, type, payload, direction } = message
    const conversationId = conversation.tags['id'] ?? conversation.id
    wire.put({ kind: 'message', message: { id, createdAt, type, payload, direction, conversationId } })
    options.onMessage?.(message, conversation)
  },
  onDelivery: (delivery) => {
    wire.deliver(delivery.message.id, { error: delivery.error })
    options.onDelivery?.(delivery)
  },
})
