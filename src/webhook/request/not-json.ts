// Its main file is UMD, which bundlers cannot follow.
import { printParseErrorCode, visit } from 'jsonc-parser/lib/esm/main.js'

/** What stands for bytes that are not UTF-8. */
const REPLACEMENT = '\ufffd'

type Headers = Record<string, string | undefined>

/** Why a body is not JSON, as a clause: what it is instead, or where a parser stops. */
export const whyNotJson = (text: string, headers: Headers = {}): string => otherForm(text, headers) ?? syntaxError(text)

/** What the body is, where it is something else altogether. */
const otherForm = (text: string, headers: Headers): string | undefined => {
  const looksLikeJson = /^\s*[{[]/.test(text)
  const [type = '', encoding = ''] = [headers['content-type'], headers['content-encoding']]
  // 1f 8b are gzip's first bytes.
  if ((encoding && encoding !== 'identity' && !looksLikeJson) || text.startsWith(`\u001f${REPLACEMENT}`)) {
    return `it is compressed${encoding && ` (${encoding})`}, and has to come as it is`
  }
  if (text.includes('\0')) return 'it is in UTF-16 or UTF-32, or binary, and has to be in UTF-8'
  if (/^--[^\r\n]+\r?\ncontent-disposition:/i.test(text)) return 'it is a multipart form'
  if (/^[\w.~%+*[\]-]+=/.test(text) || (/urlencoded/i.test(type) && !looksLikeJson)) {
    return `it is a form${/urlencoded/i.test(type) ? '' : ', which its Content-Type does not say'}`
  }
  if (text.startsWith(REPLACEMENT)) return 'it is binary, or in another encoding than UTF-8'
  if (/^\s*</.test(text)) return 'it is XML or HTML'
  return undefined
}

const EXPECTED: Record<string, string> = {
  InvalidNumberFormat: 'a number is malformed',
  PropertyNameExpected: 'the name of a field, in double quotes, is expected',
  ValueExpected: 'a value is expected',
  ColonExpected: 'a colon is expected',
  CommaExpected: 'a comma is expected',
  CloseBraceExpected: 'a comma or "}" is expected',
  CloseBracketExpected: 'a comma or "]" is expected',
  EndOfFileExpected: 'the end is expected',
  InvalidCommentToken: 'JSON has no comments',
  UnexpectedEndOfString: 'a string does not end (a line break in it is written \\n)',
  UnexpectedEndOfNumber: 'a number does not end',
  InvalidUnicode: '\\u is not followed by four hexadecimal digits',
  InvalidEscapeCharacter: 'a backslash in a string is followed by what it cannot escape',
  InvalidCharacter: 'a string has a control character in it',
}

/** Where a parser stops, and what it finds there. JSON.parse tells it in some of its errors, and in each Node differently. */
const syntaxError = (text: string): string => {
  const stop = new FirstError()
  try {
    const onError = (error: number, offset: number, length: number) => {
      throw Object.assign(stop, { error, offset, length })
    }
    visit(text, { onError }, { disallowComments: true })
  } catch (thrown) {
    // Recursive as it is, it may run out of stack.
    if (thrown !== stop && !(thrown instanceof RangeError)) throw thrown
  }
  const { error, offset, length } = stop
  if (offset < 0) return 'it is malformed'
  const found = text.slice(offset, offset + Math.min(Math.max(length, 1), 20))
  const what = EXPECTED[printParseErrorCode(error)] ?? 'this is no JSON (names and texts are in double quotes)'
  return `${placeOf(text, offset)}: ${what}, and ${found ? `${JSON.stringify(found)} found` : 'the body ends'}`
}

/** Ends the parser at the first error: a large body may have millions. */
class FirstError extends Error {
  error = 0
  offset = -1
  length = 0
}

const placeOf = (text: string, offset: number): string => {
  let line = 1
  let start = 0
  for (const { 0: lineBreak, index } of text.slice(0, offset).matchAll(/\r\n|\r|\n/g)) {
    line++
    start = index + lineBreak.length
  }
  return `line ${line}, column ${offset - start + 1}`
}
