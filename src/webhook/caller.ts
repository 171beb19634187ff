import { createHash, timingSafeEqual } from 'node:crypto'
import type * as bp from '.botpress'
import { type Caller, callerClient, installationOf, integrationAsCaller } from '../botpress/client'
import { accessKeysOf } from '../configuration'
import { credentialOf, unauthorized } from './request/credential'

/** The `token68` syntax of RFC 9110 (section 11.2), which RFC 6750 asks of a Bearer token. */
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/

/**
 * Who sends a request, and may act as whom: with an access key of this installation as the integration, and with anything
 * else as whoever Botpress knows by that token.
 *
 * @throws Problem 401 where the request has no credential, or one that can be neither
 */
export const callerOf = ({ req, ctx }: Pick<bp.HandlerProps, 'req' | 'ctx'>): Caller => {
  const credential = credentialOf(req.headers)
  const installation = installationOf(ctx)
  if (isOneOf(credential, accessKeysOf(ctx.configuration))) return integrationAsCaller(installation)
  if (!TOKEN.test(credential)) throw unauthorized('The credential is neither an access key nor a well-formed token.')
  return { client: callerClient(credential, installation), installation, tokenOwner: 'caller' }
}

/** Takes the same time whatever the keys and the credential have in common, their lengths included. */
const isOneOf = (credential: string, keys: string[]): boolean =>
  keys.map((key) => timingSafeEqual(hashOf(key), hashOf(credential))).includes(true)

const hashOf = (text: string): Buffer => createHash('sha256').update(text).digest()
