import type { Client } from '@botpress/client'
import type * as bp from '.botpress'

/** The integration in one bot; a bot may have it more than once. */
export type Installation = {
  botId: string
  integrationId: string
  webhookId: string
  /** Which of the bot's installations it is. Older clouds know no alias. */
  integrationAlias?: string
}

/** Who calls Botpress, for which installation. */
export type Caller = {
  /** Acts with the caller's token. Its errors hold a BotpressFailure: `BotpressFailure.in` gets it out. */
  client: Client
  installation: Installation
  /** `caller`: a Personal Access Token. `integration`: its own token, also for those who have an access key. */
  tokenOwner: 'caller' | 'integration'
}

export const installationOf = (ctx: bp.Context & { integrationAlias?: string }): Installation => {
  const { botId, integrationId, webhookId, integrationAlias } = ctx
  return { botId, integrationId, webhookId, integrationAlias }
}
