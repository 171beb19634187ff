/** A token, a quoted string or a delimiter, after RFC 9110, section 5.6. */
const LEXEME = /[ \t]*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)|"((?:[^"\\]|\\.)*)"|([,;=]))/y

type Lexeme = { token?: string; quoted?: string; delimiter?: string }

const lexemesOf = (header: string): Lexeme[] | undefined => {
  const text = header.trimEnd()
  const lexemes: Lexeme[] = []
  for (let position = 0; position < text.length; position = LEXEME.lastIndex) {
    LEXEME.lastIndex = position
    const match = LEXEME.exec(text)
    if (!match) return undefined
    lexemes.push({ token: match[1], quoted: match[2]?.replaceAll(/\\(.)/g, '$1'), delimiter: match[3] })
  }
  return lexemes
}

const splitAt = (lexemes: Lexeme[], delimiter: string): Lexeme[][] => {
  const parts: Lexeme[][] = [[]]
  for (const lexeme of lexemes) {
    if (lexeme.delimiter === delimiter) parts.push([])
    else parts.at(-1)!.push(lexeme)
  }
  return parts
}

/** The name and the value of `token`, `token=token` or `token="quoted"`; `undefined` for anything else. */
const pairOf = ([name, equals, value, ...more]: Lexeme[]): [string, string] | undefined => {
  if (name?.token === undefined || more.length > 0) return undefined
  if (!equals) return [name.token.toLowerCase(), '']
  const word = value?.token ?? value?.quoted
  return equals.delimiter === '=' && word !== undefined ? [name.token.toLowerCase(), word] : undefined
}

/**
 * Reads a `Prefer` header after RFC 7240, section 2; several headers come joined by commas.
 *
 * @returns the preferences' values by their names in lower case, an empty value where there is none; the first of a name
 * counts; none at all where the header is malformed. Parameters are left out.
 */
export const parsePreferences = (header: string): Map<string, string> => {
  const preferences = new Map<string, string>()
  for (const element of splitAt(lexemesOf(header) ?? [], ',')) {
    if (element.length === 0) continue
    const [preference = [], ...parameters] = splitAt(element, ';')
    const pair = pairOf(preference)
    if (!pair || !parameters.every((parameter) => parameter.length === 0 || pairOf(parameter))) return new Map()
    const [name, value] = pair
    if (!preferences.has(name)) preferences.set(name, value)
  }
  return preferences
}

const MAX_WAIT_SECONDS = 25
const MAX_REPLIES = 100

/** How the sender of a message would wait for the bot's replies. */
export type WaitPreference = {
  waitSeconds: number
  /** Where so many are there, there is nothing more to wait for. */
  replies?: number
}

/**
 * Reads the preference `wait` of RFC 7240, section 4.3, and `replies` beside it.
 *
 * @returns whole seconds, at most 25, and replies, at most 100; `undefined` where there is no `wait`, or a malformed one
 */
export const waitPreference = (header: string | undefined): WaitPreference | undefined => {
  const preferences = parsePreferences(header ?? '')
  const waitSeconds = wholeNumber(preferences.get('wait'), MAX_WAIT_SECONDS)
  if (waitSeconds === undefined) return undefined
  return { waitSeconds, replies: wholeNumber(preferences.get('replies'), MAX_REPLIES) || undefined }
}

const wholeNumber = (value: string | undefined, max: number): number | undefined =>
  value !== undefined && /^\d+$/.test(value) ? Math.min(Number(value), max) : undefined

/** What to answer as `Preference-Applied`. */
export const appliedPreference = ({ waitSeconds, replies }: WaitPreference): string =>
  `wait=${waitSeconds}${replies === undefined ? '' : `, replies=${replies}`}`
