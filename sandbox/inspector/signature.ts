import { Webhook } from 'standardwebhooks'
import type { Exchange } from '../cloud/exchange'

/** Whether the signature of a delivery is right, and what was signed: its id, its time and its body, with dots between. */
export type Signature = { isVerified: boolean; signed: string }

/**
 * Verifies the signature of a delivery as its endpoint should.
 *
 * @param secrets the configured ones, with white space between them
 * @returns `undefined` where there is no signature
 */
export const verifySignature = (
  { requestHeaders, requestBody = '' }: Exchange,
  secrets: string
): Signature | undefined => {
  if (requestHeaders['webhook-signature'] === undefined) return undefined
  const headers = requestHeaders as Record<string, string>
  const isVerified = (secrets.match(/\S+/g) ?? []).some((secret) => {
    try {
      return Boolean(new Webhook(secret).verify(requestBody, headers))
    } catch {
      // That is how the library says no.
      return false
    }
  })
  return { isVerified, signed: `${headers['webhook-id']}.${headers['webhook-timestamp']}.{body}` }
}
