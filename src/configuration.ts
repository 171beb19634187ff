import { RuntimeError } from '@botpress/sdk'
import { Webhook } from 'standardwebhooks'
import type * as bp from '.botpress'

/** The bot owner's endpoint, as configured. */
export type Endpoint = {
  /** With its path and query. */
  url: URL
  /** One for each signing secret. Each adds a signature of its own. */
  webhooks: Webhook[]
  /** Name and value of a header that goes with each message. */
  header?: [name: string, value: string]
}

/** Registrations may lack any of it. */
export type Configuration = Partial<bp.configuration.Configuration>

/**
 * Reads what is configured of the endpoint.
 *
 * @throws RuntimeError if the messages are fetched, the URL is missing, malformed or neither http nor https, or a secret or the
 * header is malformed; it says what to set instead, and shows no secret
 */
export const endpointOf = ({ responseEndpointURL, signingSecret, endpointHeader, pull }: Configuration): Endpoint => {
  if (pull) throw new RuntimeError('Pull is switched on, so nothing is posted: fetch with POST {webhook URL}/pull.')
  return {
    url: parseUrl(responseEndpointURL?.trim()),
    webhooks: oneOrTwo(signingSecret, 'Signing Secret', parseSecret, SECRET_ADVICE),
    header: endpointHeader?.trim() ? parseHeader(endpointHeader.trim()) : undefined,
  }
}

/**
 * The keys that let a backend in without a token of Botpress.
 *
 * @throws RuntimeError if a key is malformed; it says what one looks like, and shows none
 */
export const parseAccessKeys = ({ accessKey }: Configuration): string[] =>
  oneOrTwo(accessKey, 'Access Key', parseKey, KEY_ADVICE)

/** While a secret is being replaced, the old and the new one are both set, with white space between them. */
const oneOrTwo = <T>(
  configured: string | undefined,
  title: string,
  parse: (secret: string) => T | undefined,
  advice: string
): T[] => {
  const secrets = String(configured ?? '').match(/\S+/g) ?? []
  const parsed = secrets.map(parse).filter((secret) => secret !== undefined)
  if (parsed.length < secrets.length) throw new RuntimeError(`The ${title} is malformed. ${advice}`)
  if (secrets.length > 2)
    throw new RuntimeError(`The ${title} has more than two values. Set at most the old one and the new one. ${advice}`)
  return parsed
}

/** Chat programs and word processors add such characters to copied text. The plain space is not one: a path may have it. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]|[^\S ]/u

const parseUrl = (configured: string | undefined): URL => {
  const advice =
    'Set it in the integration’s configuration to the address of your endpoint, such as https://example.com/bot'
  if (!configured) {
    throw new RuntimeError(
      `The Response Endpoint URL is not set. ${advice}. Or switch on Pull, and fetch the messages: then no address is needed.`
    )
  }
  const invisible = configured.match(INVISIBLE)
  if (invisible) {
    const code = invisible[0].codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')
    throw new RuntimeError(
      `The Response Endpoint URL has an invisible character in it: U+${code}, after ${invisible.index} others. Type the URL, or paste it as plain text.`
    )
  }
  if (!URL.canParse(configured)) {
    throw new RuntimeError(`The Response Endpoint URL is not a URL. ${advice}.`)
  }
  const url = new URL(configured)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new RuntimeError(
      `The Response Endpoint URL begins with "${url.protocol}", not with http: or https:. ${advice}.`
    )
  }
  return url
}

const SECRET_ADVICE =
  'It is "whsec_" followed by 24 to 64 bytes in base64: make one with `echo "whsec_$(openssl rand -base64 32)"`, or leave it ' +
  'empty. While you replace one, set both, with a space between them.'

/** `whsec_` and 24 to 64 bytes in base64: https://www.standardwebhooks.com, "Signature scheme". */
const parseSecret = (secret: string): Webhook | undefined => {
  const base64 = secret.match(/^whsec_([A-Za-z0-9+/]+={0,2})$/)?.[1]
  const bytes = base64 === undefined ? 0 : Buffer.from(base64, 'base64').length
  const isWellFormed = base64?.length === 4 * Math.ceil(bytes / 3) && bytes >= 24 && bytes <= 64
  return isWellFormed ? new Webhook(secret) : undefined
}

const KEY_ADVICE =
  'It is 32 to 200 visible ASCII characters: make one with `openssl rand -hex 32`, or leave it empty. While you replace one, ' +
  'set both, with a space between them.'

export const MIN_KEY_LENGTH = 32

const parseKey = (key: string): string | undefined =>
  /^[\x21-\x7e]{1,200}$/.test(key) && key.length >= MIN_KEY_LENGTH ? key : undefined

const HEADER_ADVICE =
  'It is one header, "Name: value", such as "x-api-key: …" or "Authorization: Bearer …", of visible ASCII characters, or empty.'

/** A name that is a token after RFC 9110, section 5.6.2, and a value of visible characters with spaces between them. */
const HEADER = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)$/

/** The integration or HTTP sets these itself. */
const RESERVED_HEADERS =
  /^(webhook-.*|botpress-.*|content-.*|proxy-.*|host|connection|keep-alive|transfer-encoding|te|trailer|upgrade|expect|user-agent)$/i

const parseHeader = (configured: string): [name: string, value: string] => {
  if (/^https?:/i.test(configured)) throw new RuntimeError(`The Endpoint Header is a URL. ${HEADER_ADVICE}`)
  const [, name, value] = configured.match(HEADER) ?? []
  if (!name || !value) throw new RuntimeError(`The Endpoint Header is malformed. ${HEADER_ADVICE}`)
  if (RESERVED_HEADERS.test(name)) {
    throw new RuntimeError(
      `The Endpoint Header may not be "${name}", which the integration or HTTP sets. ${HEADER_ADVICE}`
    )
  }
  return [name, value]
}
