const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const WORD = `(?:${TOKEN}|"(?:[^"\\\\]|\\\\.)*")`
const PARAMETERS = `(?:[ \\t]*;(?:[ \\t]*${TOKEN}(?:[ \\t]*=[ \\t]*${WORD})?)?)*`
const SEPARATOR = '(?:[ \\t]*(?:,|$))'
const PREFERENCE = new RegExp(`[ \\t]*(${TOKEN})(?:[ \\t]*=[ \\t]*(${WORD}))?${PARAMETERS}${SEPARATOR}`, 'y')
const EMPTY_ELEMENT = /[ \t]*,/y

/**
 * Reads a `Prefer` header after RFC 7240, section 2; several headers come joined by commas.
 *
 * @returns the preferences' values by their names in lower case, an empty value where there is none; the first of a name
 * counts; none at all where the header is malformed. Parameters are left out.
 */
export const parsePreferences = (header: string): Map<string, string> => {
  const preferences = new Map<string, string>()
  let position = 0
  while (position < header.trimEnd().length) {
    EMPTY_ELEMENT.lastIndex = PREFERENCE.lastIndex = position
    const match = PREFERENCE.exec(header)
    if (match) {
      const [, name = '', word = ''] = match
      if (!preferences.has(name.toLowerCase())) preferences.set(name.toLowerCase(), unquoted(word))
    }
    if (!match && !EMPTY_ELEMENT.test(header)) return new Map()
    position = match ? PREFERENCE.lastIndex : EMPTY_ELEMENT.lastIndex
  }
  return preferences
}

const unquoted = (word: string): string => (word.startsWith('"') ? word.slice(1, -1).replaceAll(/\\(.)/g, '$1') : word)

const MAX_WAIT_SECONDS = 25

/**
 * How long the sender of a request would wait for its answer: the preference `wait` of RFC 7240, section 4.3.
 *
 * @returns whole seconds, at most 25; `undefined` where there is no such preference, or a malformed one
 */
export const preferredWaitSeconds = (header: string | undefined): number | undefined => {
  const wait = header === undefined ? undefined : parsePreferences(header).get('wait')
  return wait !== undefined && /^\d+$/.test(wait) ? Math.min(Number(wait), MAX_WAIT_SECONDS) : undefined
}
