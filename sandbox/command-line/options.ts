import type { ParseArgsConfig } from 'node:util'
import { isPackaged } from '../package-files'

/** The options of a command, as `parseArgs` takes them, each with the form of its value and what it is for. */
export type Options = Record<string, NonNullable<ParseArgsConfig['options']>[string] & { value?: string; help: string }>

const nameOf = ([name, { value }]: [string, Options[string]]): string => (value ? `--${name} ${value}` : `--${name}`)

/** How a command is called here: from the package, or by npm. */
export const commandOf = (packaged: string, npm: string): string => (isPackaged ? packaged : `${npm} --`)

/** A line for each option. */
export const listOf = (options: Options): string =>
  Object.entries(options)
    .map((option) => `  ${nameOf(option).padEnd(26)}${option[1].help}`)
    .join('\n')

/**
 * npm keeps the options that come without a `--` before them to itself, and puts them into the environment.
 *
 * @param command as of `commandOf`
 * @throws Error that names one that npm has kept
 */
export const refuseOptionsOfNpm = (options: Options, command: string): void => {
  if (isPackaged) return
  const taken = Object.keys(options)
    .filter((name) => name !== 'help' && name !== 'version')
    // npm completes what it takes for the beginning of one of its own, as --token for --token-description.
    .find((name) => Object.keys(process.env).some((key) => key.startsWith(`npm_config_${name.replace(/^no-/, '')}`)))
  if (taken) throw new Error(`npm took --${taken} for an option of its own. Write: ${command} --${taken}`)
}

/** What was wrong with the options, where an error of `parseArgs` says so, in one line with those that there are. */
export const adviceOnOptions = (error: unknown, options: Options): string | undefined => {
  const { code, message } = error as { code?: unknown; message: string }
  if (!String(code).startsWith('ERR_PARSE_ARGS')) return undefined
  const advice = message.includes('ambiguous') ? ' A value that begins with a dash follows a "=": --key=-….' : ''
  return `${message.split(/\.\s/)[0]}.${advice} The options are ${Object.entries(options).map(nameOf).join(', ')}.`
}

/** @throws Error that names an option whose value is empty, as of a variable that is not set */
export const refuseEmptyOptions = (values: Record<string, unknown>): void => {
  const isEmpty = (value: unknown) => typeof value === 'string' && value.trim() === ''
  const name = Object.keys(values).find((key) => [values[key]].flat().some(isEmpty))
  if (name) throw new Error(`--${name} is empty: leave it out, or give it a value.`)
}
