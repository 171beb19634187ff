import type { CheckOptions } from './check-backend'

/** So short a text may stand anywhere for something else. */
const MIN_LENGTH = 4

/** What of a value lets somebody in: all but the scheme, as in `Bearer …`. */
const wordsOf = (value: string): string[] => {
  const words = value.split(/\s+/)
  return words.length > 1 ? words.slice(1) : words
}

/**
 * Takes out of a text what lets somebody in at the backend, should it echo that.
 *
 * @param options as they were given, also malformed
 */
export const hideSecretsOf = ({
  endpoint,
  signingSecret = '',
  endpointHeader = '',
}: CheckOptions): ((text: string) => string) => {
  const { username, password, searchParams } = new URL(endpoint)
  const secrets = [
    ...signingSecret.split(/\s+/),
    ...wordsOf(endpointHeader.slice(endpointHeader.indexOf(':') + 1).trim()),
    username,
    password,
    ...searchParams.values(),
  ]
  const written = secrets
    .flatMap((secret) => [secret, encodeURIComponent(secret)])
    .filter((secret) => secret.length >= MIN_LENGTH)
    // One may be a part of another.
    .toSorted((a, b) => b.length - a.length)
  return (text) => written.reduce((rest, secret) => rest.replaceAll(secret, '•••'), text)
}
