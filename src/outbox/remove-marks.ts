import type { Client } from '@botpress/client'
import { BotpressFailure } from '../botpress/botpress-failure'
import { withRetries } from '../botpress/with-retries'
import { markOf, UNMARKED } from './mark'

/** At the same time. */
const MAX_REMOVALS = 20

/**
 * Removes the marks of messages that the backend has fetched. Messages that there are not are passed over.
 *
 * @param until when it must have ended, in milliseconds since 1970
 * @throws what the client throws, so that the request can be repeated
 */
export const removeMarks = async (client: Client, ids: string[], until: number): Promise<void> => {
  for (let first = 0; first < ids.length; first += MAX_REMOVALS) {
    // All of them, so that none runs on after the answer.
    const removals = ids.slice(first, first + MAX_REMOVALS).map((id) => removeMark(client, id, until))
    const failed = (await Promise.allSettled(removals)).find(({ status }) => status === 'rejected')
    if (failed) throw (failed as PromiseRejectedResult).reason
  }
}

const removeMark = async (client: Client, id: string, until: number): Promise<void> => {
  const withinTime = <T>(work: () => Promise<T>) => withRetries(work, { limitMs: Math.max(until - Date.now(), 0) })
  try {
    await withinTime(() => client.updateMessage({ id, tags: UNMARKED }))
  } catch (thrown) {
    const failure = BotpressFailure.in(thrown)
    if (failure?.isMissingResource) return
    if (failure?.more.status !== 400) throw thrown
    // It may be an id that Botpress never gave, but then there is no such message either.
    const mark = await withinTime(() => client.getMessage({ id })).then(({ message }) => markOf(message), ifRefused)
    if (mark) throw new BotpressFailure(`the mark of ${id} could not be removed (${failure.reason})`)
  }
}

const ifRefused = (thrown: unknown): undefined => {
  if (BotpressFailure.in(thrown)?.isTemporary !== false) throw thrown
}
