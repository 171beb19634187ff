// Its main file is UMD, which bundlers cannot follow.
import { printParseErrorCode, visit } from 'jsonc-parser/lib/esm/main.js'

/** Replaces bytes that are not UTF-8. */
const REPLACEMENT = '\ufffd'

type Headers = Record<string, string | undefined>

/** Why a body is not JSON, as a clause: what it is instead, or where a parser stops. */
export const whyNotJson = (text: string, headers: Headers = {}): string => otherForm(text, headers) ?? syntaxError(text)

/** What the body is, if it is something else altogether. */
const otherForm = (text: string, headers: Headers): string | undefined => {
  const looksLikeJson = /^\s*[{[]/.test(text)
  const [type = '', encoding = ''] = [headers['content-type'], headers['content-encoding']]
  // 1f 8b are gzip's first bytes.
  if ((encoding && encoding !== 'identity' && !looksLikeJson) || text.startsWith(`\u001f${REPLACEMENT}`)) {
    return `it is compressed${encoding && ` (${encoding})`}, and must come as it is`
  }
  if (text.includes('\0')) return 'it is in UTF-16 or UTF-32, or binary, and must be in UTF-8'
  if (/^--[^\r\n]+\r?\ncontent-disposition:/i.test(text)) return 'it is a multipart form'
  if (/^[\w.~%+*[\]-]+=/.test(text) || (/urlencoded/i.test(type) && !looksLikeJson)) {
    return `it is a form${/urlencoded/i.test(type) ? '' : ', which its Content-Type does not say'}`
  }
  if (text.startsWith(REPLACEMENT)) return 'it is binary, or in another encoding than UTF-8'
  if (/^\s*</.test(text)) return 'it is XML or HTML'
  return undefined
}

/** For the errors that need more words than their names have. */
const HINTS: Record<string, string> = {
  InvalidSymbol: 'this is no JSON (names and texts are in double quotes)',
  PropertyNameExpected: 'the name of a field, in double quotes, is expected',
  InvalidCommentToken: 'JSON has no comments',
  UnexpectedEndOfString: 'a string does not end (a line break in it is written \\n)',
  InvalidCharacter: 'a string has a control character in it',
  InvalidEscapeCharacter: 'a string has a backslash before a character that takes none',
}

/** Such as `comma expected` for `CommaExpected`. */
const inWords = (code: string): string => HINTS[code] ?? code.replaceAll(/\B[A-Z]/g, ' $&').toLowerCase()

/** Where a parser stops, and what it finds there. JSON.parse says so only in some errors, and differently in each Node. */
const syntaxError = (text: string): string => {
  let first: { error: number; offset: number; length: number } | undefined
  const onError = (error: number, offset: number, length: number) => {
    first ??= { error, offset, length }
    // A large body may have millions.
    throw new RangeError('Stop at the first error')
  }
  try {
    visit(text, { onError }, { disallowComments: true })
  } catch (thrown) {
    // The parser is recursive, and may overflow the stack.
    if (!(thrown instanceof RangeError)) throw thrown
  }
  if (!first) return 'it is malformed'
  const { error, offset, length } = first
  const found = text.slice(offset, offset + Math.min(Math.max(length, 1), 20))
  const what = inWords(printParseErrorCode(error))
  return `${placeOf(text, offset)}: ${what}, and ${found ? `${JSON.stringify(found)} found` : 'the body ends'}`
}

const placeOf = (text: string, offset: number): string => {
  const lines = text.slice(0, offset).split(/\r\n|\r|\n/)
  return `line ${lines.length}, column ${lines.at(-1)!.length + 1}`
}
