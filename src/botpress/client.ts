import { Client } from '@botpress/client'
import QuickLRU from 'quick-lru'
import type { Caller, Installation } from './caller'
import { botpressFailureOf } from './botpress-failure'
import { useTransport } from './transport'
import { BOTPRESS_REQUEST_MS } from '../time-limits'

/** To make one takes as long as to handle a message. Between as many as this and half of it are kept. */
const MAX_CLIENTS = 100

const clients = new QuickLRU<string, Client>({ maxSize: MAX_CLIENTS / 2 })

/**
 * The client that acts as a caller.
 *
 * @param token never empty: the official client would take the integration's own from the environment
 */
export const callerClient = (token: string, installation: Installation): Client =>
  rememberedClient({ token, installation })

/** The integration itself, with the token that the cloud has put into its environment. */
export const integrationAsCaller = (installation: Installation): Caller => ({
  client: rememberedClient({ installation }),
  installation,
  tokenOwner: 'integration',
})

const rememberedClient = ({ token, installation }: ClientOptions): Client => {
  const { botId, integrationId, webhookId, integrationAlias } = installation
  const key = JSON.stringify([token, botId, integrationId, webhookId, integrationAlias])
  const client =
    clients.get(key) ??
    createClient({
      token,
      installation,
      // Made-up tokens do not crowd out the good ones.
      onRefused: () => clients.delete(key),
    })
  clients.set(key, client)
  return client
}

type ClientOptions = {
  token?: string
  installation: Installation
  timeoutMs?: number
  /** Told when Botpress refuses the token. */
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
      // The one hook that sees an error with its headers and that each version of the client calls.
      retryCondition: (error) => {
        // Where it gets none, the official client takes the integration's own.
        const failure = botpressFailureOf(error, token ?? process.env['BP_TOKEN'])
        if (failure.more.status === 401 || failure.more.status === 403) onRefused?.()
        throw failure
      },
    },
  })
}
