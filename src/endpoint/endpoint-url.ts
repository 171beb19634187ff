import { RuntimeError } from '@botpress/sdk'
import type * as bp from '.botpress'

/**
 * The URL of the bot owner's endpoint, with its path and query as configured.
 *
 * @throws RuntimeError when it is not set, not a URL, or neither http nor https; the message says what to set instead
 */
export const endpointUrl = ({ responseEndpointURL }: Partial<bp.configuration.Configuration>): URL => {
  const advice =
    'Set it in the integration’s configuration to the full address of your endpoint, such as https://example.com/bot'
  const configured = responseEndpointURL?.trim()
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
