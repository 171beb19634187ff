import type { Message } from '@botpress/client'
import { setTimeout } from 'node:timers/promises'
import { beforeEach } from 'vitest'
import type { ApiCall, Fault } from '../../sandbox/cloud/chat/chat-api'
import type { Installation, InstallationOptions } from '../../sandbox/cloud/installation'
import { send } from '../harness/backend'
import type { Endpoint } from '../harness/endpoint'
import { endpointForTest, installationForTest, type TestInstallation } from '../harness/for-test'

export const MINUTE = 60_000
export const DAY = 24 * 60 * MINUTE

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

export const conversationIn = ({ chat }: Pick<Installation, 'chat'>, id = 'tea') =>
  chat.operations.getOrCreateConversation({ channel: 'channel', tags: { id } }).conversation

/** The bot writes, and the integration delivers. */
export const say = (text: string, from: Pick<Installation, 'chat' | 'say'> = outage.sandbox) =>
  from.say(conversationIn(from).id, { type: 'text', payload: { text } })

/** What the bot wrote before, and an instance that is no longer there marked so. */
export const missed = (
  text: string,
  {
    delivery = 'failed',
    conversation = 'tea',
    from = outage.sandbox,
  }: { delivery?: string; conversation?: string; from?: Pick<Installation, 'chat'> } = {}
): Message => {
  const conversationId = conversationIn(from, conversation).id
  const userId = from.chat.users.all()[0]!.id
  const { id } = from.chat.createBotMessage({ conversationId, userId, type: 'text', payload: { text } })
  return from.chat.operations.updateMessage({ id, tags: { delivery } }).message
}

/** As many, one after the other. */
export const missedOnes = async (count: number): Promise<Message[]> => {
  const ones: Message[] = []
  for (let number = 1; number <= count; number++) {
    ones.push(missed(`${number}`))
    // Until the clock has moved.
    await setTimeout(2)
  }
  return ones
}

export const texts = (at = outage.endpoint) => at.messages().map(({ body }) => textOf(body))

export const marks = (from: Pick<Installation, 'chat'> = outage.sandbox) =>
  Object.fromEntries(from.chat.messages.all().map((message) => [textOf(message), message.tags['delivery']]))

export const redeliver = (body?: unknown, more?: object) =>
  send(outage.sandbox, body, { path: '/redeliveries', ...more })
