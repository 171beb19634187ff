import { randomUUID } from 'node:crypto'
import type * as bp from '.botpress'
import { BotpressFailure } from '../botpress/botpress-failure'
import type { Caller } from '../botpress/caller'
import { inTime } from '../botpress/transport'
import { isToCome } from '../clock'
import { MAX_LOCK_MS } from '../time-limits'

type LockOptions = {
  logger: bp.Logger
  /** When the call ends at the latest, in milliseconds since 1970. Then the lock no longer counts. */
  until: number
  /** Calls Botpress, with retries. */
  ask: <T>(work: () => Promise<T>) => Promise<T>
}

/**
 * Takes the lock of redeliveries, a state of the integration. Get-or-set never overwrites a state, so whoever gets its own
 * `holder` back has the lock. If Botpress refuses it, as it may to a Personal Access Token, the caller goes on without it.
 *
 * @returns a function that gives the lock back and throws nothing; `undefined` if another call has the lock
 * @throws what `ask` throws
 */
export const takeLock = async (
  { client, installation }: Caller,
  { logger, until, ask }: LockOptions
): Promise<(() => Promise<void>) | undefined> => {
  const lock = { type: 'integration', id: installation.integrationId, name: 'redelivery' } as const
  const mine = { holder: randomUUID(), until }
  const getOrSet = async () =>
    (await client.getOrSetState({ ...lock, payload: mine, expiry: MAX_LOCK_MS })).state.payload
  const remove = async () => void (await client.setState({ ...lock, payload: null }))
  try {
    let held = await ask(getOrSet)
    if (!isToCome(Number(held?.['until']), MAX_LOCK_MS)) {
      // Two calls may do this at the same time. Then a message may come twice, with the same webhook-id.
      await ask(remove)
      held = await ask(getOrSet)
    }
    if (held?.['holder'] !== mine.holder) return undefined
  } catch (thrown) {
    if (BotpressFailure.in(thrown)?.isTemporary === false) return async () => {}
    throw thrown
  }
  return async () => {
    // After `until`, the lock may be another call's. After a failure too: this one may be removed already.
    const leftMs = until - Date.now()
    if (leftMs <= 0) return
    await inTime(leftMs, remove).catch((thrown) => {
      const reason = BotpressFailure.reasonOf(thrown)
      logger.forBot().error(`The next redelivery may have to wait for 45 s, because Botpress failed: ${reason}.`)
    })
  }
}
