import { RuntimeError } from '@botpress/sdk'
import type * as bp from '.botpress'
import { endpointOf } from './configuration'
import { EndpointFailure } from './endpoint/endpoint-failure'
import { ONE_TRY, postMessage } from './endpoint/post-message'

/**
 * Proves that the configured endpoint takes messages, by sending it one of type `test`.
 *
 * @throws RuntimeError that tells the bot's owner what is wrong with the endpoint and what to do about it
 */
export const register: bp.IntegrationProps['register'] = async ({ ctx }) => {
  const endpoint = endpointOf(ctx.configuration)
  const message = {
    type: 'test',
    payload: { text: 'test' },
    conversationId: 'test',
    botpressUserId: 'test',
    botpressMessageId: 'test',
    botpressConversationId: 'test',
  }
  try {
    await postMessage(endpoint, message, ONE_TRY)
  } catch (thrown) {
    if (!(thrown instanceof EndpointFailure)) throw thrown
    throw new RuntimeError(`The test message failed: ${thrown.message}. ${thrown.advice}`)
  }
}

/** Nothing was set up outside Botpress, so there is nothing to take down. */
export const unregister: bp.IntegrationProps['unregister'] = async () => {}
