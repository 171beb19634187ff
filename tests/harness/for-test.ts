import { onTestFinished } from 'vitest'
import type { EventListeners } from '../../sandbox/cloud/cloud-events'
import type { InstallationOptions } from '../../sandbox/cloud/installation'
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

/** A token of another workspace, in the clouds that are shared. */
export const FOREIGN_TOKEN = 'bp_pat_foreign'

/** Those of the test that runs. */
let watchers: Watchers[] = []

const startSharedCloud = (maxInstances?: number) =>
  startSandbox({
    maxInstances,
    foreignTokens: [FOREIGN_TOKEN],
    onMessage: (...message) => watchers.forEach(({ onMessage }) => onMessage?.(...message)),
    onDelivery: (delivery) => watchers.forEach(({ onDelivery }) => onDelivery?.(delivery)),
    onExchange: (exchange) => watchers.forEach(({ onExchange }) => onExchange?.(exchange)),
    onLog: (line) => watchers.forEach(({ onLog }) => onLog?.(line)),
    onApiCall: (call) => watchers.map(({ onApiCall }) => onApiCall?.(call)).find(Boolean),
  })

/** By how many instances they may have. */
const sharedClouds = new Map<number | undefined, Promise<Sandbox>>()

export type TestInstallation = Omit<Sandbox, 'close'>

/**
 * An installation in a cloud that tests share, one after the other: starting the first instance is most of a sandbox's cost.
 * Its watchers hear all of the cloud until the test ends.
 *
 * @throws RegistrationError when the integration refuses its configuration
 */
export const installationForTest = async ({
  maxInstances,
  ...options
}: InstallationOptions & Watchers & Pick<SandboxOptions, 'maxInstances'> = {}): Promise<TestInstallation> => {
  const shared = sharedClouds.get(maxInstances) ?? startSharedCloud(maxInstances)
  sharedClouds.set(maxInstances, shared)
  const cloud = await shared
  watchers.push(options)
  onTestFinished(() => void (watchers = []))
  let elapsedMs = 0
  const elapse = (ms: number) => {
    cloud.elapse(ms)
    elapsedMs += ms
  }
  onTestFinished(async () => {
    if (elapsedMs === 0) return
    // No instance sees its clock go back.
    await cloud.endInstance()
    cloud.elapse(-elapsedMs)
  })
  const installation = await cloud.install(options)
  onTestFinished(installation.settled)
  return Object.assign(Object.create(cloud), installation, { elapse })
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
