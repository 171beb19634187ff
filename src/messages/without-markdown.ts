import { Lexer, type MarkedToken, type Token, Tokenizer, type Tokens } from 'marked'

/** Beyond these limits, hostile texts take the parser seconds. Lengths are in characters. */
const MAX_TEXT = 20_000
const MAX_PARAGRAPH = 2000
const TOO_DEEP = /^(?:[ \t]*(?:>|(?:[-*+]|\d{1,9}[.)])[ \t])){20}|^[ \t]{60}/m

/**
 * The text without the marks of Markdown. List marks and line breaks stay, and a link is `label: url`. A text that is too long
 * to parse, or nested too deeply, stays as it is.
 */
export const withoutMarkdown = (markdown: string): string =>
  markdown.length > MAX_TEXT || TOO_DEEP.test(markdown) ? markdown : textOf(new ChatLexer().lex(markdown))

class ChatLexer extends Lexer {
  constructor() {
    super({ gfm: true, tokenizer: new ChatTokenizer() })
  }

  /** Of a long paragraph, line by line. */
  override inlineTokens(src: string, tokens: Token[] = []): Token[] {
    const parts = src.length <= MAX_PARAGRAPH ? [src] : src.split(/(?<=\n)/)
    for (const part of parts) {
      if (part.length <= MAX_PARAGRAPH) super.inlineTokens(part, tokens)
      else tokens.push({ type: 'text', raw: part, text: part })
    }
    return tokens
  }
}

/** Takes for Markdown only what people in chats mean by it. What is returned as `undefined` is a plain text. */
class ChatTokenizer extends Tokenizer {
  /** `[note]: later` */
  override def = () => undefined

  /** Lines of a template that is indented in the bot's code. */
  override code = () => undefined

  /** Within tags, there may be Markdown. */
  override html = () => undefined

  /** Not `> 50 €`, nor `>= 5`. */
  override blockquote(src: string) {
    return /^ *>[ \t]?[\d=]/.test(src) ? undefined : super.blockquote(src)
  }

  /** Not a lone `-` below a text. */
  override lheading(src: string) {
    const heading = super.lheading(src)
    return heading && /\n[=-]{3,}\s*$/.test(heading.raw) ? heading : undefined
  }

  /** Not `10:00~12:00`. */
  override del(src: string) {
    return src.startsWith('~~') ? super.del(src) : undefined
  }

  /** Not `3*4`, `*123*456#`, nor `Kolleg*innen`. */
  override emStrong(src: string, maskedSrc: string, previous = '') {
    if (src.startsWith('*') && /[\p{Script=Latin}\p{Nd}]/u.test(previous)) return undefined
    const emphasis = super.emStrong(src, maskedSrc, previous)
    const isInsideWord = emphasis?.type === 'em' && /^[\p{Script=Latin}\p{Nd}]/u.test(src.slice(emphasis.raw.length))
    return isInsideWord ? undefined : emphasis
  }

  /** A table is its rows, with whatever is in them. */
  override table(src: string) {
    const table = super.table(src)
    if (!table) return undefined
    const { raw } = table
    const [head = '', , ...rows] = raw.trimEnd().split('\n')
    const text = [head, ...rows]
      .map((row) =>
        row
          .trim()
          .replaceAll(/^\||\|$/g, '')
          .trim()
      )
      .join('\n')
    return { type: 'paragraph', raw, text, tokens: this.lexer.inline(text) } as Token as Tokens.Table
  }
}

const textOf = (tokens: Token[]): string => tokens.map((token) => textOfOne(token as MarkedToken)).join('')

const textOfOne = (token: MarkedToken): string => {
  // Other texts than `raw` have HTML's entities in them.
  const { raw } = token
  switch (token.type) {
    case 'br':
      return '\n'
    case 'code':
      return endedAs(token, (/\s/.test(token.lang ?? '') ? `${token.lang}\n` : '') + token.text)
    case 'codespan':
      return raw.replaceAll(/^`+|`+$/g, '').replace(/^ (.*[^ ].*) $/s, '$1')
    case 'escape':
      return raw.slice(1)
    case 'link':
      return raw.startsWith('[') ? linkText(textOf(token.tokens), token.href) : raw.replaceAll(/^<|>$/g, '')
    case 'image':
      return linkText(raw.slice(2, raw.lastIndexOf('](')), token.href)
    case 'list':
      return endedAs(token, token.items.map(itemText).join(''))
    case 'blockquote':
    case 'del':
    case 'em':
    case 'heading':
    case 'paragraph':
    case 'strong':
    case 'text':
      return 'tokens' in token && token.tokens ? endedAs(token, textOf(token.tokens)) : raw
    default:
      return raw
  }
}

/** A text, with as many line breaks at its end as the token has. */
const endedAs = ({ raw }: Token, text: string): string => text.replace(/\n*$/, '') + raw.match(/\n*$/)![0]

const linkText = (label: string, url: string): string => (label === url ? url : [label, url].filter(Boolean).join(': '))

const itemText = (item: Tokens.ListItem): string => {
  const [, mark, box = ''] = item.raw.match(/^(\s*\S+[ \t]*)(\[[ x]\] )?/i)!
  const indented = textOf(item.tokens).replaceAll(/\n(?=.)/g, `\n${' '.repeat(mark!.length)}`)
  return endedAs(item, mark + box + indented)
}
