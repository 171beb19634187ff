/** The `token68` syntax of RFC 9110 (section 11.2), which RFC 6750 asks of a Bearer token. */
const BEARER = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i

/**
 * The token in an `Authorization` header, its scheme in any case.
 *
 * @returns never an empty token; `undefined` where there is no header, another scheme, or no well-formed token
 */
export const bearerToken = (authorization: string | undefined): string | undefined =>
  authorization?.trim().match(BEARER)?.[1]
