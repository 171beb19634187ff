import { redactor, secretsIn } from '../cloud/redact'
import type { CheckOptions } from './options'

/** So short a text may stand anywhere for something else. */
const MIN_LENGTH = 4

/** What of a value lets somebody in: all but the scheme, as in `Bearer …`. */
const wordsOf = (value: string): string[] => {
  const words = secretsIn(value)
  return words.length > 1 ? words.slice(1) : words
}

/**
 * Takes out of a text what lets somebody in at the backend, should it echo that.
 *
 * @param options as they were given, also malformed
 */
export const hideSecretsOf = ({
  endpoint,
  signingSecret,
  endpointHeader = '',
}: CheckOptions): ((text: string) => string) => {
  const { username, password, searchParams } = new URL(endpoint)
  const secrets = [
    ...secretsIn(signingSecret),
    ...wordsOf(endpointHeader.slice(endpointHeader.indexOf(':') + 1)),
    username,
    password,
    ...searchParams.values(),
  ]
  return redactor(
    secrets.map((value) => ({ value, mark: '•••' })),
    MIN_LENGTH
  )
}
