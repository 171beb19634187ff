import AjvCompiler from '@fastify/ajv-compiler'
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import definition from '../integration.definition'
import { demoBot } from './bot/demo-bot'
import { answerApiErrors, ApiError } from './cloud/api-error'
import type { Chat } from './cloud/chat/chat'
import { type ApiCall, type Fault, parseQuery, type RateLimits, serveChatApi } from './cloud/chat/chat-api'
import { CloudEvents, type EventListeners } from './cloud/cloud-events'
import { type Credential, withoutCredentials } from './cloud/credential'
import { type Exchange, exchangeId, observeExchanges, shortened, takeCalls } from './cloud/exchange'
import { FunctionHost, type FunctionHostOptions } from './cloud/function-host/function-host'
import { createInstallation, type Installation, type InstallationOptions, messageOf } from './cloud/installation'
import { listenOnLoopback, MISDIRECTED, misdirection, refuseForeignHosts } from './cloud/loopback'
import { serveWebhooks } from './cloud/webhooks'
import { EndpointFaults } from './cloud/function-host/endpoint-faults'
import { startFaultyEndpoint } from './cloud/function-host/faulty-endpoint'
import { Control } from './control/control'
import { Faults } from './control/faults'
import { serveOwnEndpoint } from './control/own-endpoint'
import { CloudRecord } from './control/record'
import { serveControl } from './control/serve-control'
import { servePage } from './inspector/page'
import { Wire } from './inspector/wire'
import { ownFile } from './package-files'
import { serveFolder } from './serve-folder'
import { secretsIn } from './cloud/redact'

const MAX_WEBHOOK_BYTES = 100 * 1024 * 1024

/** Of a body, for those who watch. */
const MAX_WATCHED_CHARACTERS = 1024 * 1024

const INTEGRATION_ID = 'integration_sandbox'
const INTEGRATION_TOKEN = 'bp_iak_sandbox'

const INTEGRATIONS_OWN: Credential = { value: INTEGRATION_TOKEN, sort: 'the integration’s token' }

/** Shared, so that the schemas are compiled once for all clouds of a process. */
const buildValidator = AjvCompiler()

export type SandboxOptions = InstallationOptions &
  FunctionHostOptions &
  EventListeners & {
    /** 0, the default, takes a free one. */
    port?: number
    /** Tokens that Botpress knows, of other workspaces: they may use no bot here. */
    foreignTokens?: string[]
    /** More environment variables for the integration, asked for when an instance starts. */
    env?: () => Record<string, string>
    /** Sees each call to the chat API before it is carried out, and may make it late or fail. */
    onApiCall?: (call: ApiCall) => Fault | void
    /** Default: none. */
    rateLimits?: RateLimits
    /**
     * Whether users and messages that a get-or-create finds are updated with what it brings, as since version 1.80 of the
     * API. Default: they are.
     */
    updatesMatches?: boolean
    /** Serves the page, at `/`. */
    page?: boolean
    /** Reports requests to the webhook and to Botpress too, as the page needs them. */
    watch?: boolean
    /** Starts also where the endpoint does not take the test message, and logs why. Default: it does not. */
    startsWithoutEndpoint?: boolean
  }

/** The cloud, and the first bot in it. */
export type Sandbox = Installation &
  Pick<FunctionHost, 'instances' | 'endInstance' | 'elapse' | 'heapUsed'> & {
    /** Sets what goes wrong, tells what has happened, and forgets it. */
    control: Control
    /** The integration's own token, which it finds in its environment. */
    integrationToken: string
    /**
     * Installs the integration once more, in a bot of its own or in one that has it.
     *
     * @throws RegistrationError when the integration refuses its configuration
     */
    install(options?: InstallationOptions): Promise<Installation>
    close(): Promise<void>
  }

/** How the integration begins where its configuration is right, and the endpoint is not. */
const TEST_FAILED = 'The test message failed'

/** An endpoint as it may be shown: its query, and what is before a host, may be secret. */
const endpointName = (endpoint: string): string => {
  if (!URL.canParse(endpoint)) return endpoint
  const { origin, pathname } = new URL(endpoint)
  return origin + pathname
}

/** The integration did not register: its `message` is the integration's own. */
export class RegistrationError extends Error {
  override name = 'RegistrationError'
}

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
    const { 'x-bot-id': botId, 'x-integration-id': integrationId, 'x-integration-alias': alias } = headers
    const open = all.filter(
      (candidate) => candidate.botId === botId && [candidate.token, INTEGRATION_TOKEN].includes(token)
    )
    if (open.length === 0) throw new ApiError('Forbidden', `The token has no right to the bot ${botId}`)
    // Older clients name no alias.
    const installation = open.find((candidate) => alias === undefined || candidate.alias === alias)
    if (!installation || integrationId !== INTEGRATION_ID) {
      throw new ApiError('Forbidden', `The bot has no integration ${integrationId} ${alias ?? ''}`.trim())
    }
    return installation.chat
  }

  const events = new CloudEvents(options)
  const isWatched = options.page || options.watch
  const endpointFaults = new EndpointFaults()
  const faults = new Faults(endpointFaults)
  const { close: closeFaultyEndpoint, ...faultyEndpoint } = await startFaultyEndpoint()
  const report = (exchange: Exchange) => {
    const credentials = [...installations.values()].flatMap((installation) => installation.credentials())
    // Before it is cut: of what stands across the cut, the beginning would be left.
    const shown = withoutCredentials(exchange, [INTEGRATIONS_OWN, ...credentials])
    events.emit('exchange', shortened(shown, MAX_WATCHED_CHARACTERS))
  }

  const notFound = ({ method, url: path }: FastifyRequest): ApiError => {
    const urls = [...installations.values()].map(({ webhookUrl }) => webhookUrl)
    return new ApiError('ResourceNotFound', `There is no ${method} ${path} here. The webhook is ${urls.join(', ')}`)
  }

  const server = Fastify({
    bodyLimit: MAX_WEBHOOK_BYTES,
    forceCloseConnections: true,
    // Node's own default: idle connections of callers that keep none do not pile up.
    keepAliveTimeout: 5000,
    routerOptions: { querystringParser: parseQuery },
    onProtoPoisoning: 'ignore',
    onConstructorPoisoning: 'ignore',
    schemaController: { compilersFactory: { buildValidator } },
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, strict: false } },
    // A path that cannot be decoded, or is too long: no hook sees it.
    frameworkErrors: (_error, request, reply: FastifyReply) => {
      const problem = misdirection(request)
      void reply.code(problem ? MISDIRECTED : 404).send(problem ?? notFound(request).toJSON())
    },
  })
  refuseForeignHosts(server)
  answerApiErrors(server, notFound)
  await server.register(async (scope) => {
    takeCalls(scope)
    if (isWatched) observeExchanges(scope, { from: 'integration', to: 'Botpress' }, report)
    const onApiCall = (call: ApiCall) => options.onApiCall?.(call) ?? faults.nextApiFault()
    let resets = 0
    events.on('reset', () => resets++)
    await serveChatApi(scope, { authorize, onApiCall, rateLimits: options.rateLimits, resets: () => resets })
  })
  await server.register(async (scope) => {
    if (isWatched) observeExchanges(scope, { from: 'backend', to: 'webhook' }, report)
    await serveWebhooks(scope, (name, req, request) =>
      installations.get(name)?.receive(req, exchangeId('webhook', request))
    )
  })
  await server.register(serveOwnEndpoint)
  serveFolder(server, '/demo', ownFile('bot/demo-media/'))
  const first = () => [...installations.values()][0]!
  const externalUserId = (id: string) => {
    const known = [...installations.values()].find(({ chat }) => chat.users.has(id))
    return known?.chat.users.get(id).tags['id']
  }
  const record = new CloudRecord(events, externalUserId)
  const control = new Control({
    installation: first,
    record,
    faults,
    access: () => ({
      webhookUrl: first().webhookUrl,
      credential: secretsIn(options.accessKey)[0] ?? first().token,
      controlUrl: `${url}/control`,
      ...(options.page && { pageUrl: `${url}/` }),
      pid: process.pid,
    }),
    endInstances: () => host.reset(),
    onReset: () => events.emit('reset'),
  })
  await server.register((scope) => serveControl(scope, control), { prefix: '/control' })
  if (options.page) {
    const start = () => {
      const { webhookUrl, token } = first()
      const key = secretsIn(options.accessKey)[0] ?? token
      const endpoint = options.pull ? undefined : endpointName(options.endpoint ?? `${url}/endpoint`)
      return { webhookUrl, apiUrl: url, key, token, endpoint, ownEndpoint: options.endpoint === undefined }
    }
    const wire = new Wire(events, () => options.signingSecret ?? '')
    const redeliver = (messageId: string) => first().redeliver(messageId)
    await server.register((scope) => servePage(scope, { wire, faults, start, redeliver }))
  }

  const host = new FunctionHost({
    ...options,
    env: () => ({ BP_API_URL: url, BP_TOKEN: INTEGRATION_TOKEN, ALLOW_PRIVATE_ENDPOINTS: 'true', ...options.env?.() }),
    faults: { memory: endpointFaults.memory, faultyEndpoint },
    onFault: () => faults.tell(),
    onLog: (line) => events.emit('log', line),
    onExchange: report,
    onChange: (instances) => events.emit('instances', instances),
  })
  const port = await listenOnLoopback(server, options.port ?? 0)
  const url = `http://localhost:${port}`

  const install = async (installationOptions: InstallationOptions = {}): Promise<Installation> => {
    const number = installations.size + 1
    const suffix = number === 1 ? '' : `-${number}`
    const installation = createInstallation(installationOptions, {
      integrationId: INTEGRATION_ID,
      alias: `${definition.name}${suffix}`,
      webhookUrl: `${url}/webhook${suffix}`,
      ownEndpoint: `${url}/endpoint`,
      demoBot: demoBot(`${url}/demo`),
      updatesMatches: options.updatesMatches ?? true,
      events,
      callIntegration: (request, call) => host.call(request, call),
    })
    installations.set(`webhook${suffix}`, installation)
    const registration = await installation.register()
    if (registration.status < 300) return installation
    const reason = messageOf(registration)
    if (!options.startsWithoutEndpoint || !reason.startsWith(TEST_FAILED)) throw new RegistrationError(reason)
    events.emit(
      'log',
      `${reason} The sandbox runs all the same: what the endpoint misses is delivered with the next message that it takes.`
    )
    return installation
  }

  const close = async () => {
    record.close()
    await server.close()
    closeFaultyEndpoint()
    await host.close()
  }

  try {
    return {
      ...(await install(options)),
      control,
      integrationToken: INTEGRATION_TOKEN,
      install,
      get instances() {
        return host.instances
      },
      endInstance: (number) => host.endInstance(number),
      elapse: (ms) => host.elapse(ms),
      heapUsed: () => host.heapUsed(),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
