import { Marked } from 'marked'
import { readFile } from 'node:fs/promises'

/** Where the page finds the guide, and an error the part that explains it. */
const GUIDE = new URL('../../hub.md', import.meta.url)

/** `hub.md` as HTML, whose headings can be linked to as on GitHub: in small letters, with dashes for spaces. */
export const guideAsHtml = async (): Promise<string> => {
  const marked = new Marked({
    renderer: {
      heading({ tokens, depth, text }) {
        const anchor = text
          .toLowerCase()
          .replaceAll(/[^\p{Letter}\p{Number}\s-]/gu, '')
          .replaceAll(' ', '-')
        return `<h${depth} id="${anchor}">${this.parser.parseInline(tokens)}</h${depth}>\n`
      },
    },
  })
  const guide = await marked.parse(await readFile(GUIDE, 'utf8'))
  // The corner of a table is no heading.
  return guide.replaceAll('<th></th>', '<td></td>')
}
