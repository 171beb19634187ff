import type { Message } from '@botpress/client'
import type { Caller } from '../botpress/caller'
import type { Endpoint } from '../configuration'
import { EndpointFailure } from '../endpoint/endpoint-failure'
import { DELIVERY, postMessage, type RetryPolicy } from '../endpoint/post-message'
import type { OutgoingMessage } from '../messages/outgoing-message'
import { currentMark, type Mark, tagMessage, UNMARKED, type WriteOptions } from '../outbox/mark'
import { REDELIVERY_TRY_MS } from '../time-limits'
import { oneMoreFailure } from './failed-redeliveries'

const REDELIVERY: RetryPolicy = { ...DELIVERY, retries: 0, timeoutMs: REDELIVERY_TRY_MS }

type Outcome = {
  failure?: EndpointFailure
  /** After the failure: whether the endpoint seems to be down. */
  isDown?: boolean
  /** Without a failure: resolves to what became of the mark. */
  removal?: ReturnType<typeof tagMessage>
}

/**
 * Tries to deliver a marked message, and tells Botpress how it went: the mark is removed, or the failure counted.
 *
 * @param body what the endpoint gets
 */
export const redeliverOne = async (
  { client }: Caller,
  message: Message,
  body: OutgoingMessage,
  overNewConnection: boolean,
  { endpoint, mark, ...options }: { endpoint: Endpoint; mark: Mark } & WriteOptions
): Promise<Outcome> => {
  const { id, createdAt } = message
  try {
    const { done } = await postMessage(endpoint, { id, createdAt, body, overNewConnection }, REDELIVERY)
    const removal = tagMessage(client, id, UNMARKED, options)
    await done
    return { removal }
  } catch (failure) {
    if (!(failure instanceof EndpointFailure)) throw failure
    const { isReached = false, status = 0, mayHaveArrived } = failure.details
    // The message may be what the endpoint fails on: count it, so that others come first the next time. Its own call may
    // have delivered it meanwhile.
    if (isReached && status !== 429 && (await currentMark(client, id, mark))) {
      const delivery = mayHaveArrived ? 'unknown' : undefined
      await tagMessage(client, id, { delivery, redeliveryFailures: oneMoreFailure(message) }, options)
    }
    return { failure, isDown: !isReached || [429, 502, 503, 504].includes(status) }
  }
}
