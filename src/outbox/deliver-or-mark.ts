import type { Client } from '@botpress/client'
import { RuntimeError } from '@botpress/sdk'
import { setTimeout as sleep } from 'node:timers/promises'
import type * as bp from '.botpress'
import { integrationAsCaller } from '../botpress/client'
import { endpointOf } from '../configuration'
import { EndpointFailure } from '../endpoint/endpoint-failure'
import { DELIVERY, type Outgoing, type RetryPolicy, postMessage } from '../endpoint/post-message'
import { MARK_BETWEEN_TRIES_MS, TRY_WHILE_DOWN_MS } from '../time-limits'
import { EndpointMemory } from './endpoint-memory'
import { currentMark, FRESH, type Mark, markAfter, tagMessage, UNMARKED, type WriteOptions } from './mark'

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
  const own = new OwnMark(client, message.id, mark, { logger, deadline })
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
        await Promise.all([own.set(markAfter(failure), MARK_BETWEEN_TRIES_MS), sleep(pauseMs)])
        return !(await own.isChangedByOthers())
      }
    )
    memory.took()
    await own.remove()
    await done
  } catch (thrown) {
    if (await own.isChangedByOthers()) return
    await own.set(markAfter(thrown))
    memory?.gaveUp(message.id, thrown)
    throw thrown instanceof EndpointFailure
      ? new RuntimeError(`${thrown.reportOn(message.id)} ${PROSPECTS[own.written ?? 'unmarked']}`)
      : thrown
  }
}

/** The mark of a message during its own call. */
class OwnMark {
  private mayBeWritten: boolean
  private isChanged = false

  constructor(
    private readonly client: Client,
    private readonly id: string,
    public written: Mark | undefined,
    private readonly options: WriteOptions
  ) {
    this.mayBeWritten = written !== undefined
  }

  async set(mark: Mark, limitMs = Infinity): Promise<void> {
    // An earlier try may have arrived, so `failed` would be wrong. What waits to be fetched goes on waiting.
    if (mark === this.written || this.written === 'unknown' || (mark === 'failed' && this.written === 'waiting')) return
    this.mayBeWritten = true
    const { logger, deadline } = this.options
    const options = { logger, deadline: Math.min(deadline, Date.now() + limitMs) }
    const outcome = await tagMessage(this.client, this.id, { ...FRESH, delivery: mark }, options)
    if (outcome === 'written') this.written = mark
  }

  async remove(): Promise<void> {
    if (this.mayBeWritten) await tagMessage(this.client, this.id, UNMARKED, this.options)
  }

  /** A redelivery on request may have tried the message meanwhile: then it is delivered, or may be. */
  async isChangedByOthers(): Promise<boolean> {
    const { client, id, written } = this
    if (written) this.isChanged ||= (await currentMark(client, id, written)) !== written
    return this.isChanged
  }
}

/** What becomes of a message that was not delivered. */
const PROSPECTS = {
  failed: 'It is delivered later, when the endpoint takes messages.',
  unknown: 'It is sent again only on request: POST {webhook URL}/redeliveries, with {"delivery":"unknown"}.',
  waiting: 'It waits until the backend fetches it: POST {webhook URL}/pull.',
  unmarked: 'It is not delivered later, because Botpress did not take the mark.',
}
