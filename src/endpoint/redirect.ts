import type { IncomingHttpHeaders } from 'node:http'

type Answer = { status: number; headers: IncomingHttpHeaders }

/** Where an answer redirects to; `undefined` if it does not, `null` if that is no URL. */
const locationOf = (url: URL, { status, headers: { location } }: Answer): URL | null | undefined => {
  if (![301, 302, 303, 307, 308].includes(status) || location === undefined) return undefined
  return URL.canParse(location, url.href) ? new URL(location, url) : null
}

/**
 * Where to post the same message again. Only 307 and 308 ask for that (RFC 9110, section 15.4), and it goes to the same host
 * only, since it carries what is secret.
 *
 * @param url with the user and password that the target gets too
 */
export const targetToFollow = (url: URL, answer: Answer): URL | undefined => {
  const target = locationOf(url, answer)
  if (!target || (answer.status !== 307 && answer.status !== 308) || target.hostname !== url.hostname) return undefined
  const isUpgrade = url.protocol === 'http:' && target.protocol === 'https:'
  const isSamePort = target.port === url.port
  if (isUpgrade ? target.port !== '' && !isSamePort : target.protocol !== url.protocol || !isSamePort) return undefined
  return Object.assign(target, { username: url.username, password: url.password })
}

/** Whether Google Apps Script has run: it answers so when it has, and keeps what the script said at another host. */
export const isScriptDone = (url: URL, answer: Answer): boolean =>
  (answer.status === 302 || answer.status === 303) &&
  url.hostname === 'script.google.com' &&
  locationOf(url, answer)?.hostname === 'script.googleusercontent.com'

/** A part of a URL without its %; as it is, if that is malformed. */
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
 * Where an answer leads, in words without a query or a password; `undefined` if it is no redirect.
 *
 * @param secret was sent with the message: an endpoint may echo it in a path, in any spelling, and so it may the query
 */
export const targetInWords = (url: URL, answer: Answer, secret?: string): string | undefined => {
  const target = locationOf(url, answer)
  if (target === undefined) return undefined
  if (target === null) return 'what is no URL'
  const { origin, pathname } = target
  if (origin === 'null') return 'what is no http URL'
  const path = decoded(pathname).toLowerCase()
  const isEchoed = [decoded(url.password), ...url.searchParams.values()].some(
    (word) => word !== '' && path.includes(word.toLowerCase())
  )
  const isTold = pathname === url.pathname || (secret === undefined && !isEchoed)
  return isTold ? (origin + pathname).slice(0, MAX_TARGET_LENGTH) : origin
}
