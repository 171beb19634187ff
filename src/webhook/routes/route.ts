import type * as bp from '.botpress'
import type { Caller } from '../../botpress/caller'

/**
 * Serves a request of an authenticated caller: parses, does, answers. It repeats its calls to Botpress itself (withRetries).
 *
 * @returns the body of the answer, sent as JSON with status 200; without one it is 204
 * @throws Problem if the request is wrong; RuntimeError if the configuration is; what the caller's client throws
 */
export type Route = (
  caller: Caller,
  props: bp.HandlerProps
) => Promise<{ body?: object; headers?: Record<string, string> }>
