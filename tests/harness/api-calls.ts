import { beforeEach } from 'vitest'
import type { ApiCall, Fault } from '../../sandbox/cloud/chat/chat-api'

/**
 * Whether the integration makes a call on its own account, and not for a request of the backend or the bot: to mark a message
 * that was not delivered, or to look for such messages.
 */
const isOwnCall = ({ operation, input }: ApiCall): boolean =>
  operation === 'updateMessage' || (operation === 'listMessages' && Object.hasOwn(Object(input['tags']), 'delivery'))

/** Watches what the integration asks of Botpress, and makes it fail: anew for each test of a file. */
export const watchApiCalls = () => {
  const api = {
    /** Without those on its own account. */
    calls: [] as (ApiCall & { at: number })[],
    faultOf: (_call: ApiCall): Fault | undefined => undefined,
    operations: () => api.calls.map(({ operation }) => operation),
    /** An option of the sandbox. */
    onApiCall: (call: ApiCall): Fault | undefined => {
      if (!isOwnCall(call)) api.calls.push({ ...call, at: performance.now() })
      return api.faultOf(call)
    },
  }
  beforeEach(() => {
    api.calls = []
    api.faultOf = () => undefined
  })
  return api
}
