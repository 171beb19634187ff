import { RuntimeError } from '@botpress/sdk'
import type * as bp from '.botpress'
import { BotpressFailure } from '../botpress/botpress-failure'
import type { Caller } from '../botpress/caller'
import { integrationAsCaller } from '../botpress/client'
import { withRetries } from '../botpress/with-retries'

/**
 * Does an action's work as the integration, again while Botpress fails for a passing reason.
 *
 * @throws RuntimeError with Botpress's own reason, for the bot's builder
 */
export const callBotpress = async <T>(ctx: bp.Context, work: (caller: Caller) => Promise<T>): Promise<T> => {
  const integration = integrationAsCaller(ctx)
  try {
    return await withRetries(() => work(integration))
  } catch (thrown) {
    const failure = BotpressFailure.in(thrown)
    throw failure ? new RuntimeError(`Botpress did not carry out the action: ${failure.reason}.`) : thrown
  }
}
