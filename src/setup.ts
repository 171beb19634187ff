import { RuntimeError } from '@botpress/sdk'
import type * as bp from '.botpress'
import { checkAccessKeys, endpointOf } from './configuration'
import { EndpointFailure } from './endpoint/endpoint-failure'
import { ONE_TRY, postMessage } from './endpoint/post-message'

/** v0.2.3's test message: backends that were written for it know it, and pass over it. */
const FORMER_TEST = { type: 'test', payload: 'test' }

/** A test message in the form of every other. */
const TEST = {
  type: 'test',
  payload: { text: 'test' },
  conversationId: 'test',
  botpressUserId: 'test',
  botpressMessageId: 'test',
  botpressConversationId: 'test',
}

/**
 * Proves that the configured endpoint takes messages, by sending it one of type `test`: v0.2.3's, and where that is refused
 * one with all six fields.
 *
 * @throws RuntimeError that tells the bot's owner what is wrong with the configuration or the endpoint, and what to do about it
 */
export const register: bp.IntegrationProps['register'] = async ({ ctx }) => {
  checkAccessKeys(ctx.configuration)
  const endpoint = endpointOf(ctx.configuration)
  const failureOf = (body: object) =>
    postMessage(endpoint, { id: 'test', body, overNewConnection: true }, ONE_TRY).then(
      () => undefined,
      (thrown: unknown) => {
        if (thrown instanceof EndpointFailure) return thrown
        throw thrown
      }
    )
  const former = await failureOf(FORMER_TEST)
  if (!former) return
  const { status = 0 } = former.details
  const isRefused = status !== 0 && !former.details.isRedirect
  const failure = isRefused ? await failureOf(TEST) : former
  if (!failure) return
  const reason = isRefused
    ? `${former.message}, and with all six fields of a message in it, ${failure.message}`
    : failure.message
  throw new RuntimeError(`The test message failed: ${reason}. ${failure.advice}`)
}

/** Nothing was set up outside Botpress, so there is nothing to take down. */
export const unregister: bp.IntegrationProps['unregister'] = async () => {}
