/**
 * Writes a value as JSON in well-formed Unicode, with U+FFFD in place of half a character: bots cut texts within an emoji.
 * JSON.stringify writes such a half as an escape, such as `\ud83d`, which the parsers of PHP and Ruby refuse.
 */
export const wellFormedJson = (value: unknown): string =>
  // Each escape is matched whole, so that an escaped backslash before a u is not taken for the beginning of one.
  JSON.stringify(value).replaceAll(/\\(?:ud[89a-f][\da-f]{2}|[^])/g, (escape) =>
    escape.length > 2 ? '\ufffd' : escape
  )
