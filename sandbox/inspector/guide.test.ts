import { readdir, readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { guideAsHtml } from './guide'

it('the guide has each heading that the page links to', async () => {
  const guide = await guideAsHtml()
  const folder = new URL('./browser/', import.meta.url)
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.js'))
  const sources = await Promise.all(files.map((name) => readFile(new URL(name, folder), 'utf8')))
  const anchors = sources.flatMap((source) =>
    [...source.matchAll(/guide#([\w-]+)|anchor: '([\w-]+)'|'(catch-up|errors)'/g)].map(([, a, b, c]) => a ?? b ?? c)
  )
  expect(anchors.length).toBeGreaterThan(4)
  for (const anchor of anchors) expect(guide).toContain(`id="${anchor}"`)
})
