import type { Colors } from 'picocolors/types'
import type { Exchange } from '../cloud/exchange'

/** So many are remembered as told: an exchange is reported again when the body of its answer is there. */
const MAX_TOLD = 1000

const SHOWN_LENGTH = 100

/** Tells in a line each what goes over the wire. */
export class Transcript {
  private readonly told = new Set<string>()

  constructor(private readonly colors: Colors) {}

  /** The line for an exchange that has ended; `undefined` for others, and for one that was told already. */
  lineOf({ id, at, from, to, requestBody, status, error, durationMs, responseBody }: Exchange): string | undefined {
    if (to === 'Botpress' || durationMs === undefined || this.told.has(id)) return undefined
    if (this.told.size >= MAX_TOLD) this.told.clear()
    this.told.add(id)
    const { dim, bold, green, red, yellow } = this.colors
    const { conversationId = '', ...message } = parsed(requestBody)
    const isTaken = status !== undefined && status < 300
    const colorOf = isTaken ? green : from === 'backend' ? yellow : red
    const reason = isTaken ? '' : (error ?? String(parsed(responseBody)['detail'] ?? ''))
    return [
      dim(new Date(at).toTimeString().slice(0, 8)),
      bold(String(conversationId).slice(0, 16).padEnd(16)),
      from === 'backend' ? 'backend → bot ' : 'bot → endpoint',
      colorOf(String(status ?? 'none').padStart(4)),
      dim(`${Math.round(durationMs)} ms`.padStart(8)),
      oneLine(wordsOf(message)),
      ...(reason ? [colorOf(reason)] : []),
    ].join('  ')
  }
}

const parsed = (body = ''): Record<string, unknown> => {
  try {
    return Object(JSON.parse(body))
  } catch {
    // A form, or what is refused.
    return Object.fromEntries(new URLSearchParams(body))
  }
}

/** What a message says, or of which type it is. */
const wordsOf = ({ type = '', text, payload }: Record<string, unknown>): string =>
  String(text ?? Object(payload)['text'] ?? `(${String(type)})`)

const oneLine = (words: string): string => {
  const line = words.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim()
  return line.length > SHOWN_LENGTH ? `${line.slice(0, SHOWN_LENGTH)}…` : line
}
