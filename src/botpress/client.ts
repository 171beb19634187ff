import { Client } from '@botpress/client'
import type * as bp from '.botpress'
import { botpressFailureOf } from './botpress-failure'
// Before the first client is made: it changes what they are made of.
// oxlint-disable-next-line import/no-unassigned-import
import './transport'

const CALL_TIMEOUT_MS = 10_000

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
  /** Acts with the caller's token. Its errors hold a BotpressFailure, which `BotpressFailure.in` gets out. */
  client: Client
  installation: Installation
}

export const installationOf = (ctx: bp.Context & { integrationAlias?: string }): Installation => {
  const { botId, integrationId, webhookId, integrationAlias } = ctx
  return { botId, integrationId, webhookId, integrationAlias }
}

/**
 * A client that acts as a caller.
 *
 * @param token never empty: the official client would take the integration's own from the environment
 */
export const callerClient = (token: string, installation: Installation): Client => createClient({ token, installation })

/** A client that acts as the integration, with the token that the cloud has put into its environment. */
export const integrationClient = (installation: Installation): Client => createClient({ installation })

type ClientOptions = { token?: string; installation: Installation; timeoutMs?: number }

/** A client without retries of its own. It is cheap: connections are not its own. */
export const createClient = ({ token, installation, timeoutMs = CALL_TIMEOUT_MS }: ClientOptions): Client => {
  const { botId, integrationId, integrationAlias } = installation
  return new Client({
    token,
    botId,
    integrationId,
    headers: integrationAlias === undefined ? {} : { 'x-integration-alias': integrationAlias },
    timeout: timeoutMs,
    retry: {
      retries: 1,
      // The one hook that sees an error with its headers and that each version of the client calls.
      retryCondition: (error) => {
        throw botpressFailureOf(error, token)
      },
    },
  })
}
