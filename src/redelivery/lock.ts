import { randomUUID } from 'node:crypto'
import type { Caller } from '../botpress/client'
import { withRetries } from '../botpress/with-retries'

/** A call lasts 45 s. A lock that is dated further ahead has a wrong clock, and does not count. */
const MAX_LOCK_MS = 60_000

const isHeld = (until: unknown): boolean =>
  typeof until === 'number' && until > Date.now() && until <= Date.now() + MAX_LOCK_MS

/**
 * Takes the lock of redeliveries. It is a state of the integration: get-or-set never overwrites one, so the caller that
 * gets its own `holder` back has the lock.
 *
 * @param until when the call ends at the latest, in milliseconds since 1970: then the lock no longer counts
 * @param ask calls Botpress, with retries
 * @returns a function that gives the lock back, and throws what the caller's client throws; `undefined` if another call has it
 * @throws what `ask` throws
 */
export const takeLock = async (
  { client, installation }: Caller,
  until: number,
  ask: <T>(work: () => Promise<T>) => Promise<T>
): Promise<(() => Promise<void>) | undefined> => {
  const lock = { type: 'integration', id: installation.integrationId, name: 'redelivery' } as const
  const mine = { holder: randomUUID(), until }
  const getOrSet = () => client.getOrSetState({ ...lock, payload: mine, expiry: MAX_LOCK_MS })
  const remove = () => client.setState({ ...lock, payload: null })
  const giveBack = async () => {
    // After `until`, another call may hold it.
    if (Date.now() < until) await withRetries(remove, { limitMs: until - Date.now() })
  }
  for (const isLast of [false, true]) {
    const { holder, until: heldUntil } = (await ask(getOrSet)).state.payload ?? {}
    if (holder === mine.holder) return giveBack
    if (isLast || isHeld(heldUntil)) return undefined
    await ask(remove)
  }
  return undefined
}
