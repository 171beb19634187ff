import type { Client } from '@botpress/client'
import type * as bp from '.botpress'

/** The integration in one bot; a bot may have it more than once. */
export type Installation = {
  botId: string
  integrationId: string
  webhookId: string
  /** Which of the bot's installations it is; older clouds know no alias. */
  integrationAlias?: string
}

/** Who has sent a request, and to which installation. */
export type Caller = {
  /** Acts with the token. Its errors hold a BotpressFailure, which `BotpressFailure.in` gets out. */
  client: Client
  installation: Installation
  /** Whose the token is: the caller's own, or the integration's, for those that it has let in itself. */
  tokenOwner: 'caller' | 'integration'
}

export const installationOf = (ctx: bp.Context & { integrationAlias?: string }): Installation => {
  const { botId, integrationId, webhookId, integrationAlias } = ctx
  return { botId, integrationId, webhookId, integrationAlias }
}
