import { parsedExactly } from '../../model/exact-json.js'

/** @import { SeenExchange } from '../../../wire' */

/** What a backend's request may have, by the end of its path. @type {Record<string, string[]>} */
export const FIELDS = {
  '': ['userId', 'messageId', 'conversationId', 'type', 'text', 'payload', 'user'],
  events: ['conversationId', 'userId', 'type', 'payload', 'eventId'],
}

/** An id that Botpress gives: a prefix and a ULID. */
const BOTPRESS_ID = /^(conv|user)_[0-9A-HJKMNP-TV-Z]{26}$/

/**
 * What the webhook takes, and is hardly meant so.
 *
 * @param {SeenExchange} exchange
 * @returns {string[]} sentences
 */
export const hintsFor = ({ from, method, url, requestBody }) => {
  const path = url.match(/^\/+[^/?]*\/*([^/?]*)\/*(?:\?|$)/)?.[1] ?? '/'
  const fields = Object.hasOwn(FIELDS, path) ? FIELDS[path] : undefined
  const body = parsedExactly(requestBody)
  if (
    from !== 'backend' ||
    method !== 'POST' ||
    !fields ||
    typeof body !== 'object' ||
    body === null ||
    Array.isArray(body)
  )
    return []
  const hints = ['conversationId', 'userId']
    .filter((name) => BOTPRESS_ID.test(body[name]))
    .map(
      (name) =>
        `The ${name} is one of Botpress. Send the id that your backend has: with Botpress’s, each turn opens another one.`
    )
  const ignored = Object.keys(body).filter((name) => !fields.includes(name))
  if (ignored.length > 0) {
    hints.push(`Ignored: ${ignored.join(', ')}. What the bot should get goes into the payload.`)
  }
  return hints
}
