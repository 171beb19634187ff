import { Lexer, type MarkedToken, type Token, Tokenizer, type Tokens } from 'marked'

/** Beyond these lengths, in characters, hostile texts take the parser seconds. */
const MAX_TEXT = 20_000
const MAX_PARAGRAPH = 2000

/**
 * The text without the marks of Markdown. List marks and line breaks stay, and a link is `label: url`. Texts that are too long
 * to parse stay as they are.
 */
export const withoutMarkdown = (markdown: string): string =>
  markdown.length > MAX_TEXT ? markdown : textOf(new LimitedLexer().lex(markdown))

class LimitedLexer extends Lexer {
  constructor() {
    super({ gfm: true, tokenizer: new TokenizerWithoutReferences() })
  }

  override inlineTokens(src: string, tokens: Token[] = []): Token[] {
    if (src.length <= MAX_PARAGRAPH) return super.inlineTokens(src, tokens)
    tokens.push({ type: 'text', raw: src, text: src })
    return tokens
  }
}

/** Whoever writes `[note]: later` in a chat means a note, and the definition of a link would not be shown. */
class TokenizerWithoutReferences extends Tokenizer {
  override def(): undefined {
    return undefined
  }
}

const textOf = (tokens: Token[]): string => tokens.map((token) => textOfOne(token as MarkedToken)).join('')

const textOfOne = (token: MarkedToken): string => {
  switch (token.type) {
    case 'br':
      return '\n'
    case 'code':
      return token.codeBlockStyle === 'indented' ? token.raw : endedAs(token, token.text)
    case 'codespan':
    case 'escape':
      return token.text
    case 'link':
      return linkText(textOf(token.tokens), token)
    case 'image':
      return linkText(token.text, token)
    case 'list':
      return endedAs(token, token.items.map(itemText).join(''))
    case 'table':
      return endedAs(token, [token.header, ...token.rows].map(rowText).join('\n'))
    case 'blockquote':
    case 'del':
    case 'em':
    case 'heading':
    case 'paragraph':
    case 'strong':
    case 'text':
      return 'tokens' in token && token.tokens ? endedAs(token, textOf(token.tokens)) : token.raw
    default:
      return token.raw
  }
}

/** A text, with as many line breaks at its end as the token has. */
const endedAs = ({ raw }: Token, text: string): string => text.replace(/\n*$/, '') + raw.match(/\n*$/)![0]

const linkText = (label: string, { href, raw }: Tokens.Link | Tokens.Image): string =>
  // One without brackets is a URL or an address by itself.
  !/^!?\[/.test(raw) || label === href ? label : [label, href].filter(Boolean).join(': ')

const rowText = (cells: Tokens.TableCell[]): string => cells.map(({ tokens }) => textOf(tokens)).join(' | ')

const itemText = (item: Tokens.ListItem): string => {
  const [, mark, box = ''] = item.raw.match(/^(\s*\S+[ \t]*)(\[[ x]\] )?/i)!
  const indented = textOf(item.tokens).replaceAll(/\n(?=.)/g, `\n${' '.repeat(mark!.length)}`)
  return endedAs(item, mark + box + indented)
}
