import type * as bp from '.botpress'
import type { Caller } from '../../botpress/caller'

/**
 * Serves a request of a caller that is let in: parses, does, answers.
 *
 * @returns what the request is answered with, as JSON
 * @throws Problem if the request is at fault; what the caller's client throws
 */
export type Route = (
  caller: Caller,
  props: bp.HandlerProps
) => Promise<{ body: object; headers?: Record<string, string> }>
