import { RuntimeError } from '@botpress/sdk'
import type * as bp from '.botpress'
import { installationOf } from './botpress/caller'
import { type Endpoint, endpointOf, parseAccessKeys } from './configuration'
import { EndpointMemory } from './outbox/endpoint-memory'
import { redeliverIfDue } from './redelivery/redeliver-if-due'
import { EndpointFailure } from './endpoint/endpoint-failure'
import { ONE_TRY, postMessage } from './endpoint/post-message'
import { CALL_MS } from './time-limits'

/** As in v0.2.3: public backends know it and skip it. On a test with all six fields, some acted as on a real message. */
const TEST = { type: 'test', payload: 'test' }

/**
 * Checks that the configured endpoint takes messages, and delivers those that it missed. Nothing is checked if the backend
 * fetches its messages.
 *
 * @throws RuntimeError that tells the bot's owner what is wrong with the configuration or the endpoint, and what to do
 */
export const register: bp.IntegrationProps['register'] = async ({ ctx, logger }) => {
  const deadline = Date.now() + CALL_MS
  parseAccessKeys(ctx.configuration)
  const { pull, responseEndpointURL } = ctx.configuration
  if (pull && responseEndpointURL?.trim()) {
    throw new RuntimeError(
      'Both a Response Endpoint URL is set and Pull is switched on. Clear the URL to fetch the messages, or switch Pull off to ' +
        'have them posted.'
    )
  }
  if (pull) return
  const endpoint = endpointOf(ctx.configuration)
  await sendTestMessage(endpoint)
  const memory = EndpointMemory.of(installationOf(ctx), endpoint.url)
  memory.took()
  memory.lookAtOnce()
  await redeliverIfDue({ ctx, logger }, deadline)
}

const sendTestMessage = async (endpoint: Endpoint): Promise<void> => {
  try {
    const { done } = await postMessage(endpoint, { id: 'test', body: TEST, overNewConnection: true }, ONE_TRY)
    await done
  } catch (thrown) {
    if (!(thrown instanceof EndpointFailure)) throw thrown
    throw new RuntimeError(`The test message failed: ${thrown.message}. ${adviceOnTest(thrown)}`)
  }
}

const adviceOnTest = ({ advice, details: { status = 0, timedOut } }: EndpointFailure): string => {
  if ([400, 415, 422].includes(status)) {
    return `If the endpoint validates what it gets, let it answer 2xx to the test message too: ${JSON.stringify(TEST)}.`
  }
  return timedOut ? `${advice} If its host sleeps while idle, it may be awake now: save again.` : advice
}

/** Nothing was set up outside Botpress, so there is nothing to take down. */
export const unregister: bp.IntegrationProps['unregister'] = async () => {}
