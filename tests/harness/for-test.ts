import { onTestFinished } from 'vitest'
import type { EventListeners } from '../../sandbox/cloud/cloud-events'
import type { Installation, InstallationOptions } from '../../sandbox/cloud/installation'
import { type Sandbox, type SandboxOptions, startSandbox } from '../../sandbox/sandbox'
import { type Endpoint, startEndpoint } from './endpoint'
import { type Proxy, startProxy } from './proxy'

/** A sandbox that is closed when the test ends. */
export const sandboxForTest = async (options?: SandboxOptions): Promise<Sandbox> => {
  const sandbox = await startSandbox(options)
  onTestFinished(sandbox.close)
  return sandbox
}

type Watchers = EventListeners & Pick<SandboxOptions, 'onApiCall'>

/** Those of the test that runs. */
let watchers: Watchers = {}

let sharedCloud: Promise<Sandbox> | undefined

/**
 * An installation in a cloud that the tests share, one after the other: most of a sandbox's time goes into its first instance.
 * The watchers hear of it until the test ends.
 *
 * @throws RegistrationError when the integration refuses its configuration
 */
export const installationForTest = async ({
  onMessage,
  onDelivery,
  onExchange,
  onLog,
  onApiCall,
  ...options
}: InstallationOptions & Watchers = {}): Promise<Installation> => {
  sharedCloud ??= startSandbox({
    onMessage: (...message) => watchers.onMessage?.(...message),
    onDelivery: (delivery) => watchers.onDelivery?.(delivery),
    onExchange: (exchange) => watchers.onExchange?.(exchange),
    onLog: (line) => watchers.onLog?.(line),
    onApiCall: (call) => watchers.onApiCall?.(call),
  })
  watchers = { onMessage, onDelivery, onExchange, onLog, onApiCall }
  onTestFinished(() => void (watchers = {}))
  const cloud = await sharedCloud
  const installation = await cloud.install(options)
  onTestFinished(installation.settled)
  return installation
}

/** An endpoint that is closed when the test ends. */
export const endpointForTest = async (...args: Parameters<typeof startEndpoint>): Promise<Endpoint> => {
  const endpoint = await startEndpoint(...args)
  onTestFinished(endpoint.close)
  return endpoint
}

/** A proxy that is closed when the test ends. */
export const proxyForTest = async (behind: string): Promise<Proxy> => {
  const proxy = await startProxy(behind)
  onTestFinished(proxy.close)
  return proxy
}

/** A sandbox whose Botpress is behind a proxy, for the integration. */
export const sandboxBehindProxy = async (options: SandboxOptions): Promise<{ sandbox: Sandbox; proxy: Proxy }> => {
  const env: Record<string, string> = {}
  const sandbox = await sandboxForTest({ ...options, env: () => env })
  const proxy = await proxyForTest(new URL(sandbox.webhookUrl).origin)
  env['BP_API_URL'] = new URL(proxy.url).origin
  await sandbox.endInstance()
  return { sandbox, proxy }
}
