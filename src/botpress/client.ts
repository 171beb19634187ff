import { Client } from '@botpress/client'
import QuickLRU from 'quick-lru'
import type * as bp from '.botpress'
import { BOTPRESS_REQUEST_MS } from '../time-limits'
import { botpressFailureOf } from './botpress-failure'
import { type Caller, type Installation, installationOf } from './caller'
import { useTransport } from './transport'

/** Between half as many and as many are kept: making one takes as long as handling a message. */
const MAX_CLIENTS = 100

const clients = new QuickLRU<string, Client>({ maxSize: MAX_CLIENTS / 2 })

/** The integration itself, with the token that the cloud has put into its environment. */
export const integrationAsCaller = (ctx: bp.Context): Caller => {
  const installation = installationOf(ctx)
  return { client: rememberedClient({ installation }), installation, tokenOwner: 'integration' }
}

/** @param token never empty: the official client would take the integration's own token from the environment */
export const tokenAsCaller = (ctx: bp.Context, token: string): Caller => {
  const installation = installationOf(ctx)
  return { client: rememberedClient({ token, installation }), installation, tokenOwner: 'caller' }
}

const rememberedClient = ({ token, installation }: ClientOptions): Client => {
  const { botId, integrationId, webhookId, integrationAlias } = installation
  const key = JSON.stringify([token, botId, integrationId, webhookId, integrationAlias])
  // Made-up tokens must not crowd out the good ones.
  const onRefused = () => void clients.delete(key)
  const client = clients.get(key) ?? createClient({ token, installation, onRefused })
  clients.set(key, client)
  return client
}

type ClientOptions = {
  token?: string
  installation: Installation
  timeoutMs?: number
  /** Called if Botpress refuses the token. */
  onRefused?: () => void
}

/** A client without retries of its own. */
export const createClient = ({
  token,
  installation,
  timeoutMs = BOTPRESS_REQUEST_MS,
  onRefused,
}: ClientOptions): Client => {
  const { botId, integrationId, integrationAlias } = installation
  useTransport()
  return new Client({
    token,
    botId,
    integrationId,
    headers: integrationAlias === undefined ? {} : { 'x-integration-alias': integrationAlias },
    timeout: timeoutMs,
    retry: {
      retries: 1,
      // The only hook that sees an error with its headers in every version of the client.
      retryCondition: (error) => {
        // Without a token, the official client uses the integration's own.
        const failure = botpressFailureOf(error, token ?? process.env['BP_TOKEN'])
        if (failure.more.status === 401 || failure.more.status === 403) onRefused?.()
        throw failure
      },
    },
  })
}
