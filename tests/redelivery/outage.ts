import type { Message } from '@botpress/client'
import { beforeEach } from 'vitest'
import type { ApiCall, Fault } from '../../sandbox/cloud/chat/chat-api'
import type { Installation, InstallationOptions } from '../../sandbox/cloud/installation'
import { send } from '../harness/backend'
import type { Endpoint } from '../harness/endpoint'
import { endpointForTest, installationForTest, type TestInstallation } from '../harness/for-test'
import { conversationIn, type Missed, missedMessage } from './missed-message'

export { conversationIn, DAY, MINUTE } from './missed-message'

/** What a test of an outage works with, and changes. */
type Outage = {
  /** What the endpoint answers to a text. */
  statusOf: (text: string) => number
  /** For how many seconds it asks with each. */
  retryAfter: number
  faultOf: (call: ApiCall) => Fault | undefined
  /** What happened, in order: calls for marks and for what is marked, and tries. */
  events: string[]
  logged: string[]
  endpoint: Endpoint
  sandbox: TestInstallation
}

export const outage = {} as Outage

export const textOf = ({ payload }: { payload?: unknown }) => String((payload as { text?: string } | undefined)?.text)

/** An installation that has registered with another URL: no instance knows yet what its endpoint has missed. */
export const start = async (options: InstallationOptions & { maxInstances?: number } = {}) => {
  const installation = await installationForTest({
    endpoint: `${outage.endpoint.url}&registers`,
    maxInstances: 1,
    onLog: (line) => outage.logged.push(line),
    onApiCall: (call) => {
      const { operation, input } = call
      const tags = Object(input['tags'])
      if (operation === 'updateMessage' && Object.hasOwn(tags, 'delivery'))
        outage.events.push(`mark ${JSON.stringify(tags.delivery)}`)
      if (operation === 'listMessages') outage.events.push(`look for ${tags.delivery}`)
      if (operation === 'getOrSetState') outage.events.push('lock')
      if (operation === 'setState') outage.events.push('unlock')
      return outage.faultOf(call)
    },
    ...options,
  })
  installation.configure({ endpoint: outage.endpoint.url })
  return installation
}

/** Each test begins with an endpoint that takes everything, and an instance that knows nothing of what was missed. */
export const beginAnewForEachTest = () =>
  beforeEach(async () => {
    outage.statusOf = () => 204
    outage.retryAfter = 0
    outage.faultOf = () => undefined
    outage.logged = []
    outage.events = []
    outage.endpoint = await endpointForTest((response, { body }) => {
      outage.events.push(`try ${textOf(body)}`)
      if (outage.retryAfter > 0) response.setHeader('retry-after', outage.retryAfter)
      response.writeHead(outage.statusOf(textOf(body)), { location: '/elsewhere' }).end()
    })
    outage.sandbox = await start()
    outage.events = []
  })

/** The bot writes, and the integration delivers. */
export const say = (text: string, from: Pick<Installation, 'chat' | 'say'> = outage.sandbox) =>
  from.say(conversationIn(from).id, { type: 'text', payload: { text } })

type MissedHere = Missed & { from?: Pick<Installation, 'chat'> }

/** What the bot wrote a minute ago, and an instance that is no longer there marked so. */
export const missed = (text: string, { from = outage.sandbox, ...more }: MissedHere = {}): Message =>
  missedMessage(from, text, more)

/** As many, one after the other. */
export const missedOnes = (count: number, more?: MissedHere): Message[] =>
  Array.from({ length: count }, (_, index) => missed(`${index + 1}`, more))

export const texts = (at = outage.endpoint) => at.messages().map(({ body }) => textOf(body))

export const marks = (from: Pick<Installation, 'chat'> = outage.sandbox) =>
  Object.fromEntries(from.chat.messages.all().map((message) => [textOf(message), message.tags['delivery']]))

/** How often a message failed in a redelivery. */
export const failures = () =>
  Object.fromEntries(outage.sandbox.chat.messages.all().map((one) => [textOf(one), one.tags['redeliveryFailures']]))

export const redeliver = (body?: unknown, more?: object) =>
  send(outage.sandbox, body, { path: '/redeliveries', ...more })
