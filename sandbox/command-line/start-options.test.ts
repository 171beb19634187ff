import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { adviceOnOptions } from './options'
import { readStartOptions, START_OPTIONS } from './start-options'

/** What the command prints where it cannot start. */
const refusalOf = (args: string[]): string => {
  try {
    readStartOptions(args)
    return ''
  } catch (error) {
    return adviceOnOptions(error, START_OPTIONS) ?? (error as Error).message
  }
}

describe('readStartOptions', () => {
  it('reads them, and has a port for each way to run', () => {
    expect(readStartOptions([])).toMatchObject({ port: 3000, maxInstances: 4, credential: 'bp_pat_sandbox' })
    expect(readStartOptions(['--once'])).toMatchObject({ port: 0, once: true })
    expect(readStartOptions(['--key', 'a', '--key', 'b', '--secret', 'c', '--secret', 'd'])).toMatchObject({
      accessKey: 'a b',
      signingSecret: 'c d',
      credential: 'a',
    })
  })

  it.each([
    ['an unknown option', ['--colour'], /^Unknown option '--colour'. The options are .*$/],
    [
      'an option with the value of another',
      ['--instances', '-1'],
      /^Option '--instances' argument is ambiguous\. A value that begins with a dash follows a "=": --key=-…\. The .*$/,
    ],
    ['a token too long to be sent', ['--token', 'x'.repeat(5000)], /^--token takes up to 4000 letters, .{100,250}$/],
    ['a word too many', ['3001'], /^Unexpected argument '3001'. The options are .*$/],
    [
      'an option without its value',
      ['--endpoint'],
      /^Option '--endpoint <value>' argument missing. The options are .*$/,
    ],
    [
      'a token that cannot be sent',
      ['--token', 'a b'],
      /^--token takes up to 4000 letters, .*: "a b" could not be sent as a Bearer token\.$/,
    ],
    ['an empty token', ['--token', ''], /^--token takes up to/],
    ['an empty key', ['--key', ' '], /^--key is empty: leave it out, or give it a value\.$/],
    [
      'an empty secret, as of a variable that is not set',
      ['--secret', ''],
      /^--secret is empty: leave it out, or give it a value\.$/,
    ],
    ['an empty file', ['--ready-file', ''], /^--ready-file is empty: leave it out, or give it a value\.$/],
    ['two headers', ['--header', 'a: b', '--header', 'c: d'], /^--header takes one header, and was given more\.$/],
    ['no port', ['--port', '70000'], /^--port takes a number from 0 to 65535, not "70000".$/],
    ...['0', '101', 'four', '2.5', ''].map((count): [string, string[], RegExp] => [
      `no number of instances: "${count}"`,
      ['--instances', count],
      new RegExp(`^--instances takes a number from 1 to 100, not "${count}"\\.$`),
    ]),
  ])('refuses %s in one clear line', (_what, args, line) => {
    expect(refusalOf(args)).toMatch(line)
  })

  // How npm hands them over: it completes what it takes for the beginning of one of its own.
  it.each([
    ['--once', 'npm_config_once'],
    ['--port', 'npm_config_port'],
    ['--no-page', 'npm_config_page'],
    ['--token', 'npm_config_token_description'],
  ])('refuses %s that npm took for its own', (option, variable) => {
    onTestFinished(() => void vi.unstubAllEnvs())
    vi.stubEnv(variable, 'true')
    expect(refusalOf([])).toBe(`npm took ${option} for an option of its own. Write: npm start -- ${option}`)
  })
})
