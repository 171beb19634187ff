import { EventEmitter, once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BotMessage } from '../bot/bot'
import type { ApiCall, Fault } from '../cloud/chat/chat-api'
import type { Exchange } from '../cloud/exchange'
import type { Configuration } from '../cloud/installation'
import { startSandbox } from '../sandbox'
import { type Answer, answerOf, noAnswerWithin } from './answer'

export const CONVERSATION_ID = 'check-backend'

/** As many messages are delivered at the same time. */
export const MAX_AT_ONCE = 10

/** A delivery that goes on for longer after its answer is left to itself: the answer's body may have no end. */
const BODY_MS = 200

/**
 * No mark of a failure is written: so the integration finds before a further try that the message needs none, and later
 * nothing to deliver again. Each message is tried once.
 */
const writeNoMarks = ({ operation }: ApiCall): Fault | void =>
  operation === 'updateMessage' ? { answer: { status: 200, body: { message: {} } } } : undefined

/** Delivers messages of a bot through the built integration, each once. */
export type Deliveries = {
  /** What the test messages of the registration were answered: one, or two where the first was refused. */
  registration: Answer[]
  /** The integration's own word on them, where it did not register. */
  registrationError?: string
  deliver(message: BotMessage): Promise<Answer>
  /** Where the samples' pictures and files are served. */
  mediaUrl: string
  close(): Promise<void>
}

type DeliveriesOptions = Configuration & {
  endpoint: string
  /** How long an answer is waited for. */
  limitMs: number
  /** Takes out what is secret. */
  hide: (text: string) => string
}

/**
 * Installs the integration with the backend for its endpoint.
 *
 * @throws RegistrationError when the integration refuses its configuration
 */
export const startDeliveries = async ({ limitMs, hide, ...configuration }: DeliveriesOptions): Promise<Deliveries> => {
  const exchanges = new Map<string, Exchange>()
  const ended = new EventEmitter()
  // One of each message that is on its way.
  ended.setMaxListeners(0)
  const registrationErrors: string[] = []
  const sandbox = await startSandbox({
    ...configuration,
    bot: () => [],
    // An answer without an end keeps its instance for half a minute: each message may have one of its own.
    maxInstances: 40,
    startsWithoutEndpoint: true,
    onApiCall: writeNoMarks,
    onExchange: (exchange) => {
      if (exchange.to !== 'endpoint' || !hasEnded(exchange)) return
      exchanges.set(exchange.id, exchange)
      ended.emit(exchange.call ?? '')
    },
    onLog: (line) => line.startsWith('The test message failed') && registrationErrors.push(line),
  })
  const url = new URL(configuration.endpoint)
  const answerIn = ({ status, responseHeaders, responseBody, error, durationMs = 0, requestBody = '' }: Exchange) =>
    answerOf(
      url,
      {
        status,
        headers: responseHeaders,
        body: responseBody,
        error,
        ms: durationMs,
        sentBytes: Buffer.byteLength(requestBody),
      },
      hide
    )
  const answersTo = (isCall: (call: string) => boolean): Answer[] =>
    [...exchanges.values()].filter(({ call = '' }) => isCall(call)).map((exchange) => answerIn(exchange))
  // Its connection would keep others out, where a backend has but one.
  await sandbox.endInstance()
  const { conversation } = sandbox.chat.operations.getOrCreateConversation({
    channel: 'channel',
    tags: { id: CONVERSATION_ID },
  })

  return {
    registration: answersTo((call) => call.startsWith('register')),
    registrationError: registrationErrors[0]?.replace(/ The sandbox runs all the same.*$/, ''),
    deliver: async (message) => {
      const said = sandbox.say(conversation.id, message)
      const { id } = sandbox.chat.messages.all().at(-1)!
      const signal = AbortSignal.timeout(limitMs)
      // Where it is over, there was no answer.
      await once(ended, id, { signal }).catch(() => {})
      // Its instance is free for the next message then, if the body has an end.
      await Promise.race([said, sleep(BODY_MS)])
      return answersTo((call) => call === id)[0] ?? noAnswerWithin(limitMs)
    },
    mediaUrl: new URL('/demo', sandbox.webhookUrl).href,
    close: sandbox.close,
  }
}

const hasEnded = ({ status, error }: Exchange): boolean => status !== undefined || error !== undefined
