import { parseArgs } from 'node:util'
import { commandOf, listOf, refuseEmptyOptions, refuseOptionsOfNpm } from '../command-line/options'
import { endpointOf } from '../../src/configuration'
import { foreignAddress } from './local-address'

const COMMAND = commandOf('messaging-api-sandbox check', 'npm run check-backend')

/** How the integration is configured for the backend. */
export type CheckOptions = {
  endpoint: string
  signingSecret?: string
  endpointHeader?: string
}

/** Those of the check. */
export const CHECK_OPTIONS = {
  endpoint: { type: 'string', value: 'URL', help: 'where the backend takes the bot’s messages' },
  secret: { type: 'string', value: 'whsec_…', help: 'what it verifies the signatures with (they are not checked)' },
  header: { type: 'string', value: "'Name: value'", help: 'the header that it asks for (it is not checked)' },
  'yes-send-to-others': { type: 'boolean', help: 'also where the endpoint is not on this machine', default: false },
  json: { type: 'boolean', help: 'prints what was found as JSON', default: false },
  help: { type: 'boolean', short: 'h', help: 'prints this', default: false },
} as const

export const CHECK_HELP = `Looks whether a running backend does what the integration needs of it, and says what to do where it does not.

${COMMAND} --endpoint URL [options]

In brackets, what holds without the option:

${listOf(CHECK_OPTIONS)}

Ends with 0 if nothing failed, with 1 if something did or there was no time for it, with 2 if nothing could be checked.`

/**
 * What the check is started with; `undefined` if it asks for help.
 *
 * @throws Error that says what is wrong with it, or that the endpoint is not on this machine; RuntimeError when the integration
 * would not take it
 */
export const readCheckOptions = async (args: string[]) => {
  refuseOptionsOfNpm(CHECK_OPTIONS, COMMAND)
  const { values } = parseArgs({ args, options: CHECK_OPTIONS })
  if (values.help) return undefined
  refuseEmptyOptions(values)
  if (!values.endpoint) throw new Error(`--endpoint is missing: ${COMMAND} --endpoint http://localhost:8080/bot`)
  const options: CheckOptions = {
    endpoint: values.endpoint,
    signingSecret: values.secret,
    endpointHeader: values.header,
  }
  const { url } = endpointOf({ responseEndpointURL: options.endpoint, ...options })
  if (!values['yes-send-to-others']) await refuseOthers(url)
  return { options, url, json: values.json }
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
