import { RuntimeError } from '@botpress/sdk'
import { setTimeout as sleep } from 'node:timers/promises'
import type * as bp from '.botpress'
import { integrationAsCaller } from '../botpress/client'
import { endpointOf } from '../configuration'
import { EndpointFailure } from '../endpoint/endpoint-failure'
import { DELIVERY, type Outgoing, type RetryPolicy, postMessage } from '../endpoint/post-message'
import { MARK_BETWEEN_TRIES_MS, TRY_WHILE_DOWN_MS } from '../time-limits'
import { EndpointMemory } from './endpoint-memory'
import { FRESH, isUnmarked, type Mark, markAfter, tagMessage, UNMARKED } from './mark'

/** While the endpoint counts as down, each message gets one try. */
const WHILE_DOWN: RetryPolicy = { ...DELIVERY, retries: 0, headTimeoutMs: TRY_WHILE_DOWN_MS }

/**
 * Delivers a message of the bot to the endpoint. If the first try fails, the message is marked in Botpress, and the mark is
 * removed after a later try that succeeds: so it is found even if this instance dies in between. `Mark` says how it goes on.
 *
 * @param mark of a message that Botpress hands over again
 * @param deadline when the call must end, with the mark written; in milliseconds since 1970
 * @throws RuntimeError if the endpoint is not configured or did not take the message; it says what becomes of the message
 */
export const deliverOrMark = async (
  { ctx, logger }: Pick<bp.HandlerProps, 'ctx' | 'logger'>,
  message: Outgoing,
  mark: Mark | undefined,
  deadline: number
): Promise<void> => {
  const { client, installation } = integrationAsCaller(ctx)
  let mayBeMarked = mark !== undefined
  const setMark = async (wanted: Mark, limitMs = Infinity) => {
    // An earlier try may have arrived, so `failed` would be wrong.
    if (wanted === mark || mark === 'unknown') return
    mayBeMarked = true
    const options = { logger, deadline: Math.min(deadline, Date.now() + limitMs) }
    if (await tagMessage(client, message.id, { ...FRESH, delivery: wanted }, options)) mark = wanted
  }
  /** A request may redeliver the message between its tries. */
  const isDeliveredElsewhere = async () => mark !== undefined && (await isUnmarked(client, message.id))

  let memory: EndpointMemory | undefined
  try {
    const endpoint = endpointOf(ctx.configuration)
    memory = EndpointMemory.of(installation, endpoint.url)
    const { isDown } = memory
    const { done } = await postMessage(
      endpoint,
      { ...message, overNewConnection: isDown },
      isDown ? WHILE_DOWN : DELIVERY,
      async (pauseMs, failure) => {
        await Promise.all([setMark(markAfter(failure), MARK_BETWEEN_TRIES_MS), sleep(pauseMs)])
        return !(await isDeliveredElsewhere())
      }
    )
    memory.took()
    if (mayBeMarked) await tagMessage(client, message.id, UNMARKED, { logger, deadline })
    await done
  } catch (thrown) {
    if (await isDeliveredElsewhere()) return
    await setMark(markAfter(thrown))
    memory?.gaveUp(message.id, thrown)
    throw thrown instanceof EndpointFailure
      ? new RuntimeError(`${thrown.reportOn(message.id)} ${PROSPECTS[mark ?? 'unmarked']}`)
      : thrown
  }
}

/** What becomes of a message that was not delivered. */
const PROSPECTS = {
  failed: 'It is delivered later, when the endpoint takes messages.',
  unknown: 'It is sent again only on request: POST {webhook URL}/redeliveries, with {"delivery":"unknown"}.',
  unmarked: 'It is not delivered later, because Botpress did not take the mark.',
}
