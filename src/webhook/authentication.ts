import { createHash, timingSafeEqual } from 'node:crypto'
import type * as bp from '.botpress'
import type { Caller } from '../botpress/caller'
import { integrationAsCaller, tokenAsCaller } from '../botpress/client'
import { parseAccessKeys } from '../configuration'
import { unauthorized } from './problem'

/** The `token68` syntax of RFC 9110 (section 11.2). Personal Access Tokens have it. */
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/

/** A credential after these is for a gateway, and never goes to Botpress. Joined headers may run into one word. */
const GATEWAY_SCHEME = /\b(basic|digest|negotiate)\W*$/i

/**
 * Finds out who calls, and whose token to act with. An access key of this installation lets a request in as the integration:
 * it may be any word of `Authorization`, or the whole of `x-bp-secret` (the header of Botpress's own webhook integration).
 * Without one, the request acts with its own Personal Access Token. The URL is never looked at, because URLs get logged.
 *
 * @throws Problem 401 if there is neither a key nor anything that could be a token
 */
export const authenticate = ({ req, ctx }: Pick<bp.HandlerProps, 'req' | 'ctx'>): Caller => {
  const words = req.headers['authorization']?.match(/\S+/g) ?? []
  const secret = req.headers['x-bp-secret']?.trim()
  const isKey = isOneOf(wellFormedKeys(ctx))
  // Repeated headers come joined by commas.
  const isKeyed = words.some((word) => isKey(word) || isKey(word.replace(/,$/, '')))
  if (isKeyed || (secret && isKey(secret))) return integrationAsCaller(ctx)
  return tokenAsCaller(ctx, personalAccessToken(words, secret))
}

/** Malformed keys open nothing. The registration has told the owner. */
const wellFormedKeys = ({ configuration }: bp.Context): string[] => {
  try {
    return parseAccessKeys(configuration)
  } catch {
    return []
  }
}

/** The second word, whatever the first, as in v0.2.3 (`Token T`, `Bearer: T`), or a single word that looks like a token. */
const personalAccessToken = ([first = '', second]: string[], secret = ''): string => {
  const token = second ?? (first.startsWith('bp_pat_') ? first : undefined)
  if (token !== undefined && !GATEWAY_SCHEME.test(first)) {
    if (!TOKEN.test(token)) throw unauthorized('The credential is neither an access key nor a well-formed token.')
    return token
  }
  if (secret) throw unauthorized('The x-bp-secret is not an access key of this integration.')
  if (token !== undefined) throw unauthorized(`The Authorization header is meant for a gateway (${first}).`)
  const reason = first ? 'The one word of the Authorization header is not an access key.' : 'There is no credential.'
  throw unauthorized(`${reason} v0.2.3 served such requests with the integration’s own token; now a key is needed.`)
}

/** Compares in constant time: it depends neither on what a word and the keys have in common nor on their lengths. */
const isOneOf = (keys: string[]) => {
  const hashes = keys.map(hashOf)
  return (word: string): boolean => hashes.map((hash) => timingSafeEqual(hash, hashOf(word))).includes(true)
}

const hashOf = (text: string): Buffer => createHash('sha256').update(text).digest()
