import { onTestFinished } from 'vitest'
import { type Sandbox, type SandboxOptions, startSandbox } from '../../sandbox/sandbox'
import { type Endpoint, startEndpoint } from './endpoint'
import { type Proxy, startProxy } from './proxy'

/** A sandbox that is closed when the test ends. */
export const sandboxForTest = async (options?: SandboxOptions): Promise<Sandbox> => {
  const sandbox = await startSandbox(options)
  onTestFinished(sandbox.close)
  return sandbox
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
