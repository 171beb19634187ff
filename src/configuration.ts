import { RuntimeError } from '@botpress/sdk'
import { Webhook } from 'standardwebhooks'
import type * as bp from '.botpress'

/** The bot owner's endpoint, as configured. */
export type Endpoint = {
  /** With its path and query. */
  url: URL
  /** Signs what is sent, where the owner has set a secret. */
  webhook?: Webhook
}

/**
 * Reads the configuration.
 *
 * @throws RuntimeError when the URL is not set, not a URL or neither http nor https, or the secret is malformed; the
 * message says what to set instead, and does not hold the secret
 */
export const endpointOf = ({
  responseEndpointURL,
  signingSecret,
}: Partial<bp.configuration.Configuration>): Endpoint => ({
  url: parseUrl(responseEndpointURL?.trim()),
  webhook: signingSecret?.trim() ? parseSecret(signingSecret.trim()) : undefined,
})

const parseUrl = (configured: string | undefined): URL => {
  const advice =
    'Set it in the integration’s configuration to the address of your endpoint, such as https://example.com/bot'
  if (!configured) {
    throw new RuntimeError(`The Response Endpoint URL is not set. ${advice}.`)
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

/** `whsec_` and 24 to 64 bytes in base64: https://www.standardwebhooks.com, "Signature scheme". */
const parseSecret = (configured: string): Webhook => {
  const base64 = configured.match(/^whsec_([A-Za-z0-9+/]+={0,2})$/)?.[1]
  const bytes = base64 === undefined ? 0 : Buffer.from(base64, 'base64').length
  if (base64?.length !== 4 * Math.ceil(bytes / 3) || bytes < 24 || bytes > 64) {
    throw new RuntimeError(
      'The Signing Secret is malformed. It is "whsec_" followed by 24 to 64 bytes in base64: ' +
        'make one with `echo "whsec_$(openssl rand -base64 32)"`, or leave it empty.'
    )
  }
  return new Webhook(configured)
}
