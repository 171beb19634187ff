import { Problem } from '../problem'

/** Visible ASCII characters: an access key may have more of them than a token. */
const BEARER = /^bearer +([\x21-\x7e]+)$/i

/**
 * What a request brings to be let in: the Bearer token of its `Authorization` (RFC 6750), the scheme in any case, or its
 * `x-bp-secret`, which is the header of Botpress's own webhook integration. Never looks at the URL: URLs are logged.
 *
 * @returns never an empty one
 * @throws Problem 401 where there is none, a malformed one, or two that differ
 */
export const credentialOf = (headers: Record<string, string | undefined>): string => {
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
