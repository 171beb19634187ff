import type { Client } from '@botpress/client'
import type * as bp from '.botpress'
import { installationOf, integrationAsCaller } from '../botpress/client'
import { withRetries } from '../botpress/with-retries'
import { endpointOf } from '../configuration'
import { EndpointFailure } from '../endpoint/endpoint-failure'
import { DELIVERY, type Outgoing, type Patience, postMessage } from '../endpoint/post-message'
import { EndpointRecord } from './endpoint-record'
import { type Mark, markAfter, tagMessage } from './mark'

/** How long a call of the cloud may take: deliveries, and what they tell Botpress, keep within it. */
export const CALL_MS = 45_000

/** A try is not delayed for longer. */
const ASK_MS = 1000

/** While the endpoint is known to be down, nobody waits long for each message. */
const WHILE_DOWN: Patience = { ...DELIVERY, retries: 0, headTimeoutMs: 10_000 }

/**
 * Delivers a message of the bot to the endpoint. One whose first try has failed is marked in Botpress's record, and the mark
 * is removed when it has been delivered: so whoever redelivers knows of it, even where this instance ends in between.
 *
 * @param deadline by then Botpress has been told how it has ended; in milliseconds since 1970
 * @throws RuntimeError when the endpoint is not configured; EndpointFailure when it did not take the message
 */
export const deliver = async (
  { ctx, logger }: Pick<bp.HandlerProps, 'ctx' | 'logger'>,
  message: Outgoing,
  deadline: number
): Promise<void> => {
  const integration = integrationAsCaller(installationOf(ctx))
  let mark: Mark | '' = ''
  let marking = Promise.resolve(true)
  // Beside the pauses and the further tries, which it does not delay.
  const changeMark = (delivery: Mark | '') => {
    if (delivery === mark) return
    mark = delivery
    marking = marking.then(() => tagMessage(integration, message.id, { delivery }, { logger, deadline }))
  }
  let isMarked = false
  let wasRedelivered = false
  // Another instance may have found the mark, and delivered the message in a pause of this one.
  const isStillNeeded = async () => {
    wasRedelivered = isMarked && (await isUnmarked(integration.client, message.id))
    return !wasRedelivered
  }
  let record: EndpointRecord | undefined
  try {
    const endpoint = endpointOf(ctx.configuration)
    record = EndpointRecord.of(integration.installation, endpoint.url)
    const { isDown } = record
    const { done } = await postMessage(
      endpoint,
      { ...message, overNewConnection: isDown },
      isDown ? WHILE_DOWN : DELIVERY,
      {
        onFailedTry: (failure) => {
          changeMark(markAfter(failure))
          void marking.then((isWritten) => (isMarked = isWritten))
        },
        isStillNeeded,
      }
    )
    changeMark('')
    record.isDown = false
    if (!(await marking)) record.stillMarked.add(message.id)
    await done
  } catch (thrown) {
    if (wasRedelivered) return
    changeMark(markAfter(thrown))
    if (record) {
      record.isDown = thrown instanceof EndpointFailure && thrown.details.isTemporary === true
      record.hasFailed ||= markAfter(thrown) === 'failed'
    }
    throw thrown
  } finally {
    await marking
  }
}

/** Whether a message has no mark any more; not where Botpress does not tell that at once. */
const isUnmarked = async (client: Client, id: string): Promise<boolean> => {
  try {
    const { message } = await withRetries(() => client.getMessage({ id }), { limitMs: ASK_MS })
    return message.tags['delivery'] === undefined
  } catch {
    return false
  }
}
