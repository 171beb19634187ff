import { setTimeout as sleep } from 'node:timers/promises'
import type * as bp from '.botpress'
import { installationOf } from '../botpress/caller'
import { integrationAsCaller } from '../botpress/client'
import { endpointOf } from '../configuration'
import { DELIVERY, type Outgoing, type Patience, postMessage } from '../endpoint/post-message'
import { EndpointMemory } from './endpoint-memory'
import { isUnmarked, type Mark, markAfter, tagMessage, UNMARKED } from './mark'
import { MARK_BETWEEN_TRIES_MS, TRY_WHILE_DOWN_MS } from '../time-limits'

/** While the endpoint is known to be down, each message gets one try. */
const WHILE_DOWN: Patience = { ...DELIVERY, retries: 0, headTimeoutMs: TRY_WHILE_DOWN_MS }

/**
 * Delivers a message of the bot to the endpoint. If its first try fails, it is marked in Botpress's record, and the mark is
 * removed when it has been delivered: so it is found even if this instance ends in between.
 *
 * @param deadline when the call must be over, with the mark written; in milliseconds since 1970
 * @throws RuntimeError when the endpoint is not configured; EndpointFailure when it did not take the message
 */
export const deliverOrMark = async (
  { ctx, logger }: Pick<bp.HandlerProps, 'ctx' | 'logger'>,
  message: Outgoing,
  deadline: number
): Promise<void> => {
  const { client, installation } = integrationAsCaller(installationOf(ctx))
  let mayBeMarked = false
  /** The mark that Botpress surely has. */
  let mark: Mark | undefined
  const setMark = async (delivery: Mark, limitMs = Infinity) => {
    if (delivery === mark) return
    mayBeMarked = true
    const options = { logger, deadline: Math.min(deadline, Date.now() + limitMs) }
    if (await tagMessage(client, message.id, { delivery }, options)) mark = delivery
  }
  /** A request may redeliver the message in a pause between its tries. */
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
    throw thrown
  }
}
