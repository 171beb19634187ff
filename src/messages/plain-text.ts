import * as z from 'zod'
import { withoutMarkdown } from './without-markdown'

/** What a user can choose. */
type Option = {
  label: string
  /** The payload of a message that answers with it. */
  answer: object
}

type Link = { label: string; url: string }

/** What stands on one line. `null`, `undefined` and empty texts stand on none. */
type Line = string | Option | Link | null | undefined

/** Its lines have no empty line between them, and other paragraphs have one before and after. */
type Paragraph = Line[]

const maybe = z.string().nullish()
// z.number would make the bundle 5 kB larger.
const coordinate = z.custom<number>(Number.isFinite)

const action = z
  .object({ action: z.string().regex(/^(?:url|say|postback)$/), label: z.string(), value: z.string() })
  .transform(({ action: kind, label, value }): Line =>
    kind === 'url' ? { label, url: value } : { label, answer: { text: value } }
  )

const card = z
  .object({ title: z.string(), subtitle: maybe, imageUrl: maybe, actions: z.array(action).nullish() })
  .transform(({ title, subtitle, imageUrl, actions }): Paragraph => [title, subtitle, imageUrl, ...(actions ?? [])])

const choice = z
  .object({ text: z.string(), options: z.array(z.object({ label: z.string(), value: z.unknown().optional() })) })
  .transform(({ text, options }): Paragraph[] => [
    [withoutMarkdown(text)],
    options.map(({ label, value }) => ({ label, answer: { text: label, value } })),
  ])

const item = z.object({ type: z.string(), payload: z.unknown() }).transform(({ type, payload }, context) => {
  const paragraphs = paragraphsOf(type, payload)
  if (!paragraphs) context.addIssue('cannot be written as text')
  return paragraphs ?? z.NEVER
})

/** By the type of a message, what its payload looks like, and how that is written. */
const rules = new Map<string, z.ZodType<Paragraph[]>>([
  ['text', z.object({ text: z.string() }).transform(({ text }) => [[withoutMarkdown(text)]])],
  ['markdown', z.object({ markdown: z.string() }).transform(({ markdown }) => [[withoutMarkdown(markdown)]])],
  ['image', z.object({ title: maybe, imageUrl: z.string() }).transform(({ title, imageUrl }) => [[title, imageUrl]])],
  ['audio', z.object({ title: maybe, audioUrl: z.string() }).transform(({ title, audioUrl }) => [[title, audioUrl]])],
  ['video', z.object({ title: maybe, videoUrl: z.string() }).transform(({ title, videoUrl }) => [[title, videoUrl]])],
  ['file', z.object({ title: maybe, fileUrl: z.string() }).transform(({ title, fileUrl }) => [[title, fileUrl]])],
  [
    'location',
    z
      .object({ title: maybe, address: maybe, latitude: coordinate, longitude: coordinate })
      .transform(({ title, address, latitude, longitude }) => [
        [title, address, `https://www.google.com/maps/search/?api=1&query=${latitude},${longitude}`],
      ]),
  ],
  ['card', card.transform((paragraph) => [paragraph])],
  ['carousel', z.object({ items: z.array(card) }).transform(({ items }) => items)],
  ['choice', choice],
  ['dropdown', choice],
  ['bloc', z.object({ items: z.array(item) }).transform(({ items }) => items.flat())],
])

const otherwise = z.object({ text: z.string().min(1) }).transform(({ text }): Paragraph[] => [[text]])

const paragraphsOf = (type: string, payload: unknown): Paragraph[] | undefined =>
  (rules.get(type) ?? otherwise).safeParse(payload).data

/** A message of the bot in words. */
export type PlainText = {
  text: string
  /** Those that have a number in the text, from 1 on. */
  options: Option[]
}

/**
 * Writes a message of the bot as text, for backends that show nothing else. Never throws.
 *
 * @returns `undefined` if it cannot be written as text: the payload is not what bots send for that type
 */
export const plainTextOf = (type: string, payload: object): PlainText | undefined => {
  try {
    return written(paragraphsOf(type, payload) ?? [])
  } catch {
    // It is nested more deeply than the stack allows.
    return undefined
  }
}

const written = (paragraphs: Paragraph[]): PlainText | undefined => {
  const labelled = paragraphs.flat().filter((line) => line !== null && typeof line === 'object')
  // Where a label begins with a digit, a number before it would be taken for a part of it.
  const isNumbered = !labelled.some(({ label }) => /^\s*\p{Nd}/u.test(label))
  const options = isNumbered ? labelled.filter((line) => 'answer' in line) : []
  const lineOf = (line: Line): string => {
    if (line === null || line === undefined || typeof line === 'string') return line ?? ''
    if ('url' in line) return `${line.label}: ${line.url}`
    return isNumbered ? `${options.indexOf(line) + 1}. ${line.label}` : line.label
  }
  const blocks = paragraphs.map((paragraph) => joined(paragraph.map(lineOf), '\n'))
  const text = joined(blocks, '\n\n')
  return text === '' ? undefined : { text, options }
}

/** Without empty lines that nobody wants. */
const joined = (parts: string[], separator: string): string =>
  parts
    .map((part) => part.replace(/\n+$/, ''))
    .filter((part) => part !== '')
    .join(separator)
