import { createHash, timingSafeEqual } from 'node:crypto'
import type * as bp from '.botpress'
import { type Caller, callerClient, installationOf, integrationAsCaller } from '../botpress/client'
import { accessKeysOf } from '../configuration'
import { Problem } from './problem'

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

/** Visible ASCII characters: an access key may have more of them than a token. */
const BEARER = /^bearer +([\x21-\x7e]+)$/i

/**
 * What a request brings to be let in: the Bearer token of its `Authorization` (RFC 6750), the scheme in any case, or its
 * `x-bp-secret`, which is the header of Botpress's own webhook integration. Never looks at the URL: URLs are logged.
 *
 * @returns never an empty one
 * @throws Problem 401 where there is none, a malformed one, or two that differ
 */
const credentialOf = (headers: Record<string, string | undefined>): string => {
  const authorization = headers['authorization']?.trim()
  const secret = headers['x-bp-secret']?.trim()
  const token = authorization?.match(BEARER)?.[1]
  if (authorization && !token) throw unauthorized('The Authorization header is no well-formed Bearer token.')
  if (token && secret && token !== secret) {
    throw unauthorized('The headers Authorization and x-bp-secret hold two credentials that differ.')
  }
  const credential = token ?? secret
  if (!credential) throw unauthorized('The request has no credential.')
  return credential
}

export const unauthorized = (reason: string): Problem =>
  new Problem(
    401,
    `${reason} Send "Authorization: Bearer {key}", or "x-bp-secret: {key}", with the Access Key of the integration’s ` +
      'configuration, or with a Botpress Personal Access Token.',
    { headers: { 'www-authenticate': 'Bearer' } }
  )
