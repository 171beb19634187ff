import { readFile } from 'node:fs/promises'

const FILES = ['README.md', 'hub.md', 'SECURITY.md'] as const

const blocksOf = async (file: string): Promise<string[]> => {
  const text = await readFile(file, 'utf8')
  return [...text.matchAll(/^```\w*\n(.*?)^```$/gms)].map(([, code = '']) => code)
}

const nameOf = (file: string, code: string): string => `${file}: ${code}`

const asked = new Set<string>()

/**
 * The code block of a document that begins so.
 *
 * @throws Error where there is none, or more than one
 */
export const block = async (file: (typeof FILES)[number], beginning: string): Promise<string> => {
  const found = (await blocksOf(file)).filter((code) => code.startsWith(beginning))
  if (found.length !== 1) throw new Error(`${file} has ${found.length} code blocks that begin with: ${beginning}`)
  asked.add(nameOf(file, found[0]!))
  return found[0]!
}

/** The blocks that were asked for, each with its file. */
export const askedBlocks = (): string[] => [...asked]

/** Those that there are, each with its file. */
export const allBlocks = async (): Promise<string[]> => {
  const blocks = await Promise.all(FILES.map(async (file) => (await blocksOf(file)).map((code) => nameOf(file, code))))
  return blocks.flat()
}
