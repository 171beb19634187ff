import { describe, expect, it } from 'vitest'
import { withoutMarkdown } from './without-markdown'

const lines = (...all: string[]) => all.join('\n')

describe('text without Markdown', () => {
  it.each([
    ['**bold**, __bold__, *italic*, _italic_, ~~gone~~, `code`', 'bold, bold, italic, italic, gone, code'],
    ['***both***, **a _b_ c**', 'both, a b c'],
    ['\\*as it is\\*', '*as it is*'],
    ['# One\n\n## Two ##\ntext\n\nThree\n=====', 'One\n\nTwo\ntext\n\nThree'],
    ['> a **quote**\n> of two lines\n\nand more', 'a quote\nof two lines\n\nand more'],
    ['```js\nconst a = **1**\n```\nafter', 'const a = **1**\nafter'],
    ['`` a`b ``', 'a`b'],
    ['| Size | Price |\n|---|---:|\n| **Small** | 2 |\n\nafter', 'Size | Price\nSmall | 2\n\nafter'],
    ['a  \nb\\\nc', 'a\nb\nc'],
    ['`a < b && "c"` and it\\\'s R\\&D', 'a < b && "c" and it\'s R&D'],
    ['```SELECT 1\nFROM x\n```', 'SELECT 1\nFROM x'],
    ['Hello,\n\n    **Name**: x', 'Hello,\n\n    Name: x'],
    ['<p>Hi **you**</p>', '<p>Hi you</p>'],
    ['|A|B|\n|-|-|\n|1|2|**3**|', 'A|B\n1|2|3'],
    ['**注意**を', '注意を'],
  ])('%j becomes %j', (markdown, text) => {
    expect(withoutMarkdown(markdown)).toBe(text)
  })

  it.each([
    ['[the menu](https://a.example/menu)', 'the menu: https://a.example/menu'],
    ['[the **menu**](https://a.example "title")', 'the menu: https://a.example'],
    ['[a [b] c](https://a.example/(d))', 'a [b] c: https://a.example/(d)'],
    ['[https://a.example](https://a.example)', 'https://a.example'],
    ['[](https://a.example)', 'https://a.example'],
    ['![a cup](https://a.example/cup.png)', 'a cup: https://a.example/cup.png'],
    ['![](https://a.example/cup.png)', 'https://a.example/cup.png'],
    ['<https://a.example>', 'https://a.example'],
    ['https://a.example/_a_/b_c?d=*e*', 'https://a.example/_a_/b_c?d=*e*'],
    ["https://a.example/?b=1&c=it's", "https://a.example/?b=1&c=it's"],
    ['**<https://a.example/?b=1&c=2>**', 'https://a.example/?b=1&c=2'],
    ['![a & b](https://a.example/?b=1&c=2)', 'a & b: https://a.example/?b=1&c=2'],
    ['www.a.example, a@b.example', 'www.a.example, a@b.example'],
  ])('of a link, %j becomes %j', (markdown, text) => {
    expect(withoutMarkdown(markdown)).toBe(text)
  })

  it.each([
    '2 * 3 * 4 = 24',
    'snake_case_name and a_b',
    '5 * and 6*',
    '~5 to ~10',
    '10:00~12:00, 14:00~16:00',
    '4*100 m, 3*200 m',
    '*123*456#',
    'Liebe Kolleg*innen, liebe Freund*innen!',
    'x**2 + y**2',
    'Versand:\n> 50 €: gratis\n>= 5',
    'Punkt 1\n-',
    'Hallo\n==',
    '#hashtag #2',
    '- one\n- two\n  - three\n\n  more of two\n- four',
    '* one\n* two',
    '+ one\n+ two',
    '1. one\n2. two\n   - three\n\n10. ten',
    '1) one\n2) two',
    '- [ ] to do\n- [x] done',
    '10. Dezember',
    '[note]: later\n\n[see][note]',
    'a < b, <3 and <b>this</b>',
    'AT&amp;T',
    '    indented\n    text\n\nafter',
    '  one\n\n\n\ntwo  \n\n',
    '---',
    '*',
    '**',
    ' ',
    '',
    '👩🏽‍🚀 مرحبا 你好',
  ])('%j stays', (text) => {
    expect(withoutMarkdown(text)).toBe(text)
  })

  it('of what stands in lists and quotes goes too', () => {
    expect(withoutMarkdown(lines('- **one**', '  > [two](https://a.example)', '- `three`', '', 'after'))).toBe(
      lines('- one', '  two: https://a.example', '- three', '', 'after')
    )
  })

  it('is the text itself where that is too long to parse', () => {
    const line = `**bold** ${'x'.repeat(2000)}`
    expect(withoutMarkdown(`${line}\n**bold**\n\n**bold**`)).toBe(`${line}\nbold\n\nbold`)
    expect(withoutMarkdown('**Artikel**: 5 €\n'.repeat(300))).toBe('Artikel: 5 €\n'.repeat(300))
    const long = '**bold**\n\n'.repeat(2100)
    expect(withoutMarkdown(long)).toBe(long)
    const nested = `${'- '.repeat(300)}**a**\n`
    expect(withoutMarkdown(nested)).toBe(nested)
  })
})
