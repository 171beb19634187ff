const TOKEN = "[!#$%&'*+.^_`|~\\w-]+"
const WORD = `(?:${TOKEN}|"(?:[^"\\\\]|\\\\.)*")`
/** RFC 7240, section 2: a name, perhaps a value, perhaps parameters, without the white space that may surround them. */
const PREFERENCE = new RegExp(`(?:(${TOKEN})(?:=(${WORD}))?(?:;(?:${TOKEN}(?:=${WORD})?)?)*)?(?:,|$)`, 'gy')

const MAX_WAIT_SECONDS = 25
const MAX_REPLIES = 100

/** How the sender of a message wants to wait for the bot's replies. */
export type WaitPreference = {
  waitSeconds: number
  /** How many replies are enough. */
  replies?: number
}

/**
 * Reads a `Prefer` header: `wait` of RFC 7240, section 4.3, and `replies` beside it. If a name comes twice, the first counts.
 *
 * @param header repeated ones come joined by commas
 * @returns whole seconds, at most 25, and replies, 1 to 100; `undefined` without a `wait`, or if the header is malformed
 */
export const waitPreference = (header = ''): WaitPreference | undefined => {
  // Without spaces, the pattern's time is linear in the length of the header.
  const text = header
    .replaceAll(/[ \t]+/g, ' ')
    .replaceAll(/ ?([,;=]) ?/g, '$1')
    .trim()
  const matches = [...text.matchAll(PREFERENCE)]
  if (matches.at(-1)?.index !== text.length) return undefined
  const preferences = new Map(matches.reverse().map(([, name = '', value = '']) => [name.toLowerCase(), value]))
  const waitSeconds = wholeNumber(preferences.get('wait'), MAX_WAIT_SECONDS)
  if (waitSeconds === undefined) return undefined
  return { waitSeconds, replies: wholeNumber(preferences.get('replies'), MAX_REPLIES) || undefined }
}

const wholeNumber = (value: string | undefined, max: number): number | undefined => {
  const digits = value?.match(/^"?(\d+)"?$/)?.[1]
  return digits === undefined ? undefined : Math.min(Number(digits), max)
}

/** What to answer as `Preference-Applied`. */
export const appliedPreference = ({ waitSeconds, replies }: WaitPreference): string =>
  `wait=${waitSeconds}${replies === undefined ? '' : `, replies=${replies}`}`
