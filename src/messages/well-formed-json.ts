/**
 * Writes a value as JSON in well-formed Unicode. Bots cut texts in the middle of an emoji, and JSON.stringify writes the half
 * that is left as an escape, such as `\ud83d`, which the parsers of PHP and Ruby refuse: it becomes U+FFFD.
 */
export const wellFormedJson = (value: unknown): string =>
  // Match each escape whole: an escaped backslash before a u is not the beginning of one.
  JSON.stringify(value).replaceAll(/\\(?:ud[89a-f][\da-f]{2}|[^])/g, (escape) =>
    escape.length > 2 ? '\ufffd' : escape
  )
