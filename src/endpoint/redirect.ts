import type { IncomingHttpHeaders } from 'node:http'

type Answer = { status: number; headers: IncomingHttpHeaders }

/** Where an answer redirects to; `undefined` if it does not, `null` if that is not a URL. */
const locationOf = (url: URL, { status, headers: { location } }: Answer): URL | null | undefined => {
  if (![301, 302, 303, 307, 308].includes(status) || location === undefined) return undefined
  return URL.canParse(location, url.href) ? new URL(location, url) : null
}

/**
 * Where to post the same message again. Only 307 and 308 ask for that (RFC 9110, section 15.4). Only the same host gets it,
 * since it carries secrets.
 *
 * @param url its user and password go to the target too
 */
export const targetToFollow = (url: URL, answer: Answer): URL | undefined => {
  const target = locationOf(url, answer)
  if (!target || (answer.status !== 307 && answer.status !== 308) || target.hostname !== url.hostname) return undefined
  const isUpgrade = url.protocol === 'http:' && target.protocol === 'https:'
  const isSamePort = target.port === url.port
  if (isUpgrade ? target.port !== '' && !isSamePort : target.protocol !== url.protocol || !isSamePort) return undefined
  return Object.assign(target, { username: url.username, password: url.password })
}

/** Whether a Google Apps Script has run: then it redirects to another host, which has the script's output. */
export const isScriptDone = (url: URL, answer: Answer): boolean =>
  (answer.status === 302 || answer.status === 303) &&
  url.hostname === 'script.google.com' &&
  locationOf(url, answer)?.hostname === 'script.googleusercontent.com'

/** A part of a URL, percent-decoded; unchanged if it is malformed. */
export const decoded = (part: string): string => {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** In characters. */
const MAX_TARGET_LENGTH = 300

/**
 * Where an answer redirects to, without a query or a password; `undefined` if it does not.
 *
 * @param secret was sent with the message. If the path could echo it or the query, in any spelling, only the host is shown
 */
export const targetInWords = (url: URL, answer: Answer, secret?: string): string | undefined => {
  const target = locationOf(url, answer)
  if (target === undefined) return undefined
  if (target === null) return 'an invalid URL'
  const { origin, pathname } = target
  if (origin === 'null') return 'a URL that is not http'
  const path = decoded(pathname).toLowerCase()
  const isEchoed = [decoded(url.password), ...url.searchParams.values()].some(
    (word) => word !== '' && path.includes(word.toLowerCase())
  )
  const isTold = pathname === url.pathname || (secret === undefined && !isEchoed)
  return isTold ? (origin + pathname).slice(0, MAX_TARGET_LENGTH) : origin
}
