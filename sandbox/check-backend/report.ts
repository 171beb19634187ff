import Table from 'cli-table3'
import type { Colors } from 'picocolors/types'
import type { Result } from './check-backend'

const OUTCOME_WIDTH = 15
const CHECK_WIDTH = 40

/** Of an output that is no terminal. */
const DEFAULT_WIDTH = 120

/** Below, nothing could be read. */
const MIN_WIDTH = 80

const EDGES = ['top', 'bottom', 'left', 'right', 'mid', 'middle']
const NO_LINES = Object.fromEntries(
  EDGES.flatMap((edge) => [edge, `${edge}-left`, `${edge}-mid`, `${edge}-right`]).map((name) => [name, ''])
)

/**
 * What was found, for people: a line for each check, and under one that failed what to do.
 *
 * @param width of the terminal, in columns
 */
export const reportOf = (
  results: Result[],
  { colors, width = DEFAULT_WIDTH }: { colors: Colors; width?: number }
): string => {
  const colorOf = { passed: colors.green, failed: colors.red, 'not applicable': colors.dim, 'not made': colors.yellow }
  const rest = Math.max(width, MIN_WIDTH) - OUTCOME_WIDTH - CHECK_WIDTH
  const sentWidth = Math.floor(rest / 2)
  const table = new Table({
    chars: NO_LINES,
    style: { 'padding-left': 0, 'padding-right': 1, head: [], border: [] },
    colWidths: [OUTCOME_WIDTH, CHECK_WIDTH, sentWidth, rest - sentWidth],
  })
  for (const { check, outcome, sent, received, advice } of results) {
    table.push([colorOf[outcome](outcome), colors.bold(check), sent, received])
    const more = [
      ...(outcome === 'failed' ? [`sent: ${sent}`, `came back: ${received}`] : []),
      ...(advice ? [`to do: ${advice}`] : []),
    ]
    for (const line of more) {
      table.push(['', { content: line, colSpan: 3, wordWrap: true }])
    }
  }
  const count = (outcome: Result['outcome']) => results.filter((result) => result.outcome === outcome).length
  const notMade = count('not made') > 0 ? `, ${count('not made')} not made` : ''
  const sum = `${count('passed')} passed, ${count('failed')} failed, ${count('not applicable')} not applicable${notMade}`
  return `${table.toString().replaceAll(/ +$/gm, '')}\n\n${colorOf[count('failed') > 0 ? 'failed' : 'passed'](sum)}`
}
