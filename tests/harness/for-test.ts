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

/** A token of another workspace, in the cloud that is shared. */
export const FOREIGN_TOKEN = 'bp_pat_foreign'

let sharedCloud: Promise<Sandbox> | undefined

/** Those of the test that runs. */
let watchers: Watchers[] = []

const startSharedCloud = () =>
  startSandbox({
    foreignTokens: [FOREIGN_TOKEN],
    onMessage: (...message) => watchers.forEach(({ onMessage }) => onMessage?.(...message)),
    onDelivery: (delivery) => watchers.forEach(({ onDelivery }) => onDelivery?.(delivery)),
    onExchange: (exchange) => watchers.forEach(({ onExchange }) => onExchange?.(exchange)),
    onLog: (line) => watchers.forEach(({ onLog }) => onLog?.(line)),
    onApiCall: (call) => watchers.map(({ onApiCall }) => onApiCall?.(call)).find(Boolean),
  })

/**
 * An installation in a cloud that tests share, one after the other: starting the first instance is most of a sandbox's cost.
 * Its watchers hear all of the cloud until the test ends.
 *
 * @throws RegistrationError when the integration refuses its configuration
 */
export const installationForTest = async (options: InstallationOptions & Watchers = {}): Promise<Installation> => {
  sharedCloud ??= startSharedCloud()
  const cloud = await sharedCloud
  watchers.push(options)
  onTestFinished(() => void (watchers = []))
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
