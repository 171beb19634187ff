import { RuntimeError } from '@botpress/sdk'
import type * as bp from '.botpress'
import { installationOf } from './botpress/client'
import { checkAccessKeys, type Endpoint, endpointOf } from './configuration'
import { CALL_MS } from './deliveries/deliver'
import { EndpointRecord } from './deliveries/endpoint-record'
import { redeliverUnasked } from './deliveries/redeliver-unasked'
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
 * Proves that the configured endpoint takes messages, and delivers those that it has missed.
 *
 * @throws RuntimeError that tells the bot's owner what is wrong with the configuration or the endpoint, and what to do about it
 */
export const register: bp.IntegrationProps['register'] = async ({ ctx, logger }) => {
  const deadline = Date.now() + CALL_MS
  checkAccessKeys(ctx.configuration)
  const endpoint = endpointOf(ctx.configuration)
  await proveThatItTakesMessages(endpoint)
  EndpointRecord.of(installationOf(ctx), endpoint.url).startAnew()
  await redeliverUnasked({ ctx, logger }, deadline)
}

/** By sending it a message of type `test`: v0.2.3's, and where that is refused one with all six fields. */
const proveThatItTakesMessages = async (endpoint: Endpoint): Promise<void> => {
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
