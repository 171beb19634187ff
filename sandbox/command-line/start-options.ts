import { parseArgs } from 'node:util'
import { commandOf, listOf, refuseEmptyOptions, refuseOptionsOfNpm } from './options'
import { secretsIn } from '../cloud/redact'

export const START_COMMAND = commandOf('messaging-api-sandbox', 'npm start')

/** Those of the sandbox. */
export const START_OPTIONS = {
  port: { type: 'string', value: 'N', help: 'where it listens, on this machine only (3000; with --once a free one)' },
  token: {
    type: 'string',
    value: 'TOKEN',
    help: 'the token that it takes (bp_pat_sandbox)',
    default: 'bp_pat_sandbox',
  },
  endpoint: { type: 'string', value: 'URL', help: 'where the bot’s messages go (to the page and the terminal)' },
  key: {
    type: 'string',
    multiple: true,
    value: 'KEY',
    help: 'the access key that it takes, of 32 characters or more; twice, while one is being replaced (none)',
  },
  secret: {
    type: 'string',
    multiple: true,
    value: 'whsec_…',
    help: 'what the messages to the endpoint are signed with; twice, while one is being replaced (nothing)',
  },
  header: {
    type: 'string',
    multiple: true,
    value: "'Name: value'",
    help: 'a header for the messages to the endpoint (none)',
  },
  'plain-text': { type: 'boolean', help: 'writes every message of the bot as text', default: false },
  pull: {
    type: 'boolean',
    help: 'the bot’s messages wait until they are fetched; not with --endpoint',
    default: false,
  },
  instances: { type: 'string', value: 'N', help: 'the integration’s instances at once, 1 to 100 (4)', default: '4' },
  bot: { type: 'string', value: 'FILE', help: 'an ES module whose default export answers for the bot (the demo bot)' },
  'ready-file': { type: 'string', value: 'FILE', help: 'writes there, as JSON, how to get in, once it is ready' },
  json: { type: 'boolean', help: 'prints the same as the only line of its output', default: false },
  'no-page': { type: 'boolean', help: 'serves no page', default: false },
  open: { type: 'boolean', help: 'opens the page in your browser', default: false },
  once: { type: 'boolean', help: 'one round trip, printed; then exit 0, or 1 with the reason', default: false },
  help: { type: 'boolean', short: 'h', help: 'prints this', default: false },
  version: { type: 'boolean', short: 'v', help: 'prints the version', default: false },
} as const

export const START_HELP = `Runs the integration in an embedded Botpress cloud, with a demo bot.

${START_COMMAND} [options]

In brackets, what holds without the option:

${listOf(START_OPTIONS)}`

/**
 * What the sandbox is started with.
 *
 * @throws Error that says in one line what is wrong with it
 */
export const readStartOptions = (args: string[]) => {
  refuseOptionsOfNpm(START_OPTIONS, START_COMMAND)
  const { values } = parseArgs({ args, options: START_OPTIONS })
  const port = values.port ?? (values.once ? '0' : '3000')
  if (!/^\d+$/.test(port) || Number(port) > 65_535) {
    throw new Error(`--port takes a number from 0 to 65535, not "${port}".`)
  }
  if (!/^[\w\-.~+/]{1,4000}=*$/.test(values.token)) {
    throw new Error(
      `--token takes up to 4000 letters, digits and -._~+/ alone: "${values.token.slice(0, 100)}" could not be sent as a Bearer token.`
    )
  }
  const maxInstances = Number(values.instances)
  if (!/^\d+$/.test(values.instances) || maxInstances < 1 || maxInstances > 100) {
    throw new Error(`--instances takes a number from 1 to 100, not "${values.instances}".`)
  }
  refuseEmptyOptions(values)
  if (values.pull && values.endpoint)
    throw new Error('--pull and --endpoint exclude each other: messages are fetched or posted.')
  if (values.header && values.header.length > 1) throw new Error('--header takes one header, and was given more.')
  // Two of them stand in the configuration side by side.
  const [accessKey, signingSecret] = [values.key?.join(' '), values.secret?.join(' ')]
  return {
    ...values,
    port: Number(port),
    maxInstances,
    accessKey,
    signingSecret,
    /** What a backend is let in with. */
    credential: secretsIn(accessKey)[0] ?? values.token,
  }
}
