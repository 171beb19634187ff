/** @import { PageStart } from '../../page' */
/** @import { SeenExchange } from '../../wire' */

/** What whoever sends it makes anew, or a browser has put there. */
const NOT_COPIED =
  /^(host|connection|content-length|accept-encoding|transfer-encoding|user-agent|sec-.*|origin|referer|accept-language)$/

/**
 * The credential in the place of which the page shows its sort. One that is not known stays wrong.
 *
 * @param {string} sort
 * @param {Pick<PageStart, 'key' | 'token'>} start
 */
const credentialOf = (sort, { key, token }) => {
  if (sort === 'access key') return key
  if (sort === 'Personal Access Token' || sort === 'the integration’s token') return token
  return sort === 'unknown' ? 'a-wrong-credential' : `the ${sort}`
}

/**
 * The headers to make a request again with, its credential in its place.
 *
 * @param {Pick<SeenExchange, 'requestHeaders'>} exchange
 * @param {Pick<PageStart, 'key' | 'token'>} start
 * @returns {[string, string][]}
 */
export const repeatableHeaders = ({ requestHeaders }, start) =>
  Object.entries(requestHeaders)
    .filter(([name]) => !NOT_COPIED.test(name.toLowerCase()))
    .map(([name, value]) => [
      name,
      String(value).replaceAll(/••• \(([^)]*)\)/g, (_mark, sort) => credentialOf(sort, start)),
    ])
