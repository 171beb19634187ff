import { Marked } from 'marked'
import { gfmHeadingId } from 'marked-gfm-heading-id'
import { readFile } from 'node:fs/promises'
import { borrowedFile } from '../package-files'

/** Where the page finds the guide, and an error the part that explains it. */
const GUIDE = borrowedFile('hub.md', 'hub.md')

/** `hub.md` as HTML, whose headings can be linked to as on GitHub. */
export const guideAsHtml = async (): Promise<string> => {
  const guide = await new Marked(gfmHeadingId()).parse(await readFile(GUIDE, 'utf8'))
  // The corner of a table is no heading.
  return guide.replaceAll('<th></th>', '<td></td>')
}
