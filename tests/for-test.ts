import { onTestFinished } from 'vitest'
import { type Sandbox, type SandboxOptions, startSandbox } from '../sandbox/sandbox'
import { type Endpoint, startEndpoint } from './endpoint'

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
