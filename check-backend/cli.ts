import { parseArgs } from 'node:util'
import pc from 'picocolors'
import { inOptions } from '../sandbox/command-line/in-options'
import { adviceOnOptions, listOf, refuseOptionsOfNpm } from '../sandbox/command-line/options'
import { endpointOf } from '../src/configuration'
import { foreignAddress } from './local-address'
import { reportOf } from './report'

const COMMAND = 'npm run check-backend'

const OPTIONS = {
  endpoint: { type: 'string', value: 'URL', help: 'where the backend takes the bot’s messages' },
  secret: { type: 'string', value: 'whsec_…', help: 'what it verifies the signatures with (they are not checked)' },
  header: { type: 'string', value: "'Name: value'", help: 'the header that it asks for (it is not checked)' },
  'yes-send-to-others': { type: 'boolean', help: 'also where the endpoint is not on this machine', default: false },
  json: { type: 'boolean', help: 'prints what was found as JSON', default: false },
  help: { type: 'boolean', short: 'h', help: 'prints this', default: false },
} as const

const help =
  (): string => `Looks whether a running backend does what the integration needs of it, and says what to do where it does not.

${COMMAND} -- --endpoint URL [options]

In brackets, what holds without the option:

${listOf(OPTIONS)}

Ends with 0 when nothing failed, with 1 when something did, with 2 when nothing could be checked.`

const NOTHING_CHECKED = 2

const main = async (): Promise<void> => {
  refuseOptionsOfNpm(OPTIONS, COMMAND)
  const { values } = parseArgs({ options: OPTIONS })
  if (values.help) {
    console.log(help())
    return
  }
  if (!values.endpoint) throw new Error(`--endpoint is missing: ${COMMAND} -- --endpoint http://localhost:8080/bot`)
  const options = { endpoint: values.endpoint, signingSecret: values.secret, endpointHeader: values.header }
  const { url } = endpointOf({ responseEndpointURL: options.endpoint, ...options })
  if (!values['yes-send-to-others']) await refuseOthers(url)
  // Of the query, which may hold a secret, nothing is printed.
  const { origin, pathname } = url
  // So late that what is wrong with the options is told at once.
  const { checkBackend, requestsOf } = await import('./check-backend')
  console.error(`Sends ${origin}${pathname} up to ${requestsOf(options)} requests, within a minute.\n`)
  const results = await checkBackend(options)
  const failed = results.filter(({ outcome }) => outcome === 'failed').length
  console.log(
    values.json
      ? JSON.stringify({ endpoint: origin + pathname, failed, checks: results }, null, 2)
      : reportOf(results, {
          colors: pc.createColors(process.stdout.isTTY === true && pc.isColorSupported),
          width: process.stdout.columns,
        })
  )
  process.exitCode = failed === 0 ? 0 : 1
}

const refuseOthers = async (url: URL): Promise<void> => {
  const address = await foreignAddress(url).catch(({ code }: NodeJS.ErrnoException) => {
    throw new Error(`${url.hostname} is not found (${code}): check the name in --endpoint.`)
  })
  if (address === undefined) return
  throw new Error(
    `${url.hostname} is not this machine (${address}), and nothing was sent. If the backend there is yours, and may get ` +
      'messages that are no real ones, add --yes-send-to-others.'
  )
}

main().catch((error: unknown) => {
  console.error(adviceOnOptions(error, OPTIONS) ?? inOptions((error as Error).message))
  process.exitCode = NOTHING_CHECKED
})
