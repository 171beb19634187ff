import type * as bp from '.botpress'
import { installationOf, integrationAsCaller } from '../botpress/client'
import { endpointOf } from '../configuration'
import { DELIVERY, type Outgoing, type Patience, postMessage } from '../endpoint/post-message'
import { EndpointRecord } from './endpoint-record'
import { isUnmarked, type Mark, markAfter, tagMessage, UNMARKED } from './mark'

/** How long a call of the cloud may take, with all that it tells Botpress. */
export const CALL_MS = 45_000

/** While the endpoint is known to be down, each message gets one try, of 10 s. */
const WHILE_DOWN: Patience = { ...DELIVERY, retries: 0, headTimeoutMs: 10_000 }

/**
 * Delivers a message of the bot to the endpoint. If its first try fails, it is marked in Botpress's record, and the mark is
 * removed when it has been delivered: so it is found even if this instance ends in between.
 *
 * @param deadline when the call must be over, with the mark written; in milliseconds since 1970
 * @throws RuntimeError when the endpoint is not configured; EndpointFailure when it did not take the message
 */
export const deliver = async (
  { ctx, logger }: Pick<bp.HandlerProps, 'ctx' | 'logger'>,
  message: Outgoing,
  deadline: number
): Promise<void> => {
  const { client, installation } = integrationAsCaller(installationOf(ctx))
  let mark: Mark | undefined
  /** Whether Botpress has the mark. */
  let isMarked = false
  let wasDeliveredElsewhere = false
  const isStillNeeded = async () => {
    wasDeliveredElsewhere ||= isMarked && (await isUnmarked(client, message.id))
    return !wasDeliveredElsewhere
  }
  let marking = Promise.resolve()
  const writeMark = async (delivery: Mark, previous: Promise<void>) => {
    await previous
    if (await isStillNeeded()) isMarked = await tagMessage(client, message.id, { delivery }, { logger, deadline })
  }
  // In parallel: the tries do not wait for it.
  const setMark = (delivery: Mark) => {
    if (delivery === mark) return
    mark = delivery
    marking = writeMark(delivery, marking)
  }
  let record: EndpointRecord | undefined
  try {
    const endpoint = endpointOf(ctx.configuration)
    record = EndpointRecord.of(installation, endpoint.url)
    const { isDown } = record
    const { done } = await postMessage(
      endpoint,
      { ...message, overNewConnection: isDown },
      isDown ? WHILE_DOWN : DELIVERY,
      { onFailedTry: (failure) => setMark(markAfter(failure)), isStillNeeded }
    )
    record.took()
    await marking
    if (mark) await tagMessage(client, message.id, UNMARKED, { logger, deadline })
    await done
  } catch (thrown) {
    setMark(markAfter(thrown))
    await marking
    if (wasDeliveredElsewhere) return
    record?.gaveUp(message.id, thrown)
    throw thrown
  }
}
