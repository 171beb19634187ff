import type { BotMessage } from '../../bot/bot'
import { demoMessages } from '../../bot/demo-messages'
import { abridged, type Answer, inWords, isTaken } from '../answer'
import { type Check, findingOn } from '../check'

const text = (words: string): BotMessage => ({ type: 'text', payload: { text: words } })

const inShort = ({ type, payload }: BotMessage): string => abridged(`${type} ${JSON.stringify(payload)}`)

/**
 * A message of the bot that has to be taken.
 *
 * @param messageWith makes it, with media that are served at a URL
 */
const delivered = (name: string, messageWith: (mediaUrl: string) => BotMessage, advice: string): Check => ({
  name,
  requests: 1,
  run: async ({ deliveries }) => {
    const message = messageWith(deliveries.mediaUrl)
    return findingOn(await deliveries.deliver(message), { sent: inShort(message), shouldBe: isTaken, advice })
  },
})

const sample = (type: string, messageWith: (mediaUrl: string) => BotMessage): Check =>
  delivered(
    `takes the type ${type}`,
    messageWith,
    `Answer 2xx to the type ${type} too, also where you pass over it. Where you show texts alone, switch on Plain Text.`
  )

const unknownType: Check = {
  name: 'takes a type never heard of',
  requests: 1,
  run: async ({ requests }) => {
    const message = { type: 'hologram', payload: { hologramUrl: 'https://example.com/hologram' } }
    return findingOn(await requests.post({ fields: message }), {
      sent: inShort(message),
      shouldBe: isTaken,
      advice: 'Answer 2xx to types that you do not know, and pass over them: new ones may come.',
    })
  },
}

const UNICODE = 'Grüße, 你好, مرحبا, 👩🏽‍🚀, e\u0301, \u2028.'

const contents: Check[] = [
  delivered(
    'takes unicode',
    () => text(UNICODE),
    'Read the body as UTF-8, and keep it so: with all its characters, those of four bytes too.'
  ),
  delivered('takes 100 kB', () => text('x'.repeat(100 * 1024)), 'Take bodies of up to 256 kB.'),
  delivered(
    'takes an empty payload',
    () => ({ type: 'text', payload: {} }),
    'Ask of each field of a payload whether it is there.'
  ),
]

/** By requests of our own: instances of the integration would not all be ready at the same moment. */
export const manyAtOnce = (count: number): Check => ({
  name: `takes ${count} at once`,
  requests: count,
  run: async ({ requests }) => {
    const answers = await Promise.all(
      Array.from({ length: count }, (_, index) =>
        requests.post({ fields: { payload: { text: `${index + 1} of ${count}` } } })
      )
    )
    const taken = answers.filter(isTaken)
    const worst = answers.find((answer) => !isTaken(answer)) ?? slowestOf(answers)
    const { outcome, sent, advice } = findingOn(worst, {
      sent: `${count} texts at the same time`,
      shouldBe: isTaken,
      advice: 'Take as many at a time as the bot sends: queue them, answer at once, and work then.',
    })
    const received =
      taken.length === count
        ? `${count} × 2xx, the last in ${Math.round(worst.ms)} ms`
        : `${taken.length} × 2xx, ${count - taken.length} × not, as ${inWords(worst)}`
    return { outcome, sent, received, advice }
  },
})

const slowestOf = (answers: Answer[]): Answer => answers.reduce((slowest, one) => (one.ms > slowest.ms ? one : slowest))

const repeat: Check = {
  name: 'takes the same webhook-id twice',
  requests: 2,
  run: async ({ requests }) => {
    const id = `msg_check_${Date.now()}`
    const first = await requests.post({ id })
    const second = await requests.post({ id })
    const finding = findingOn(isTaken(first) ? second : first, {
      sent: 'a message, and the same once more',
      shouldBe: isTaken,
      advice: 'Answer 2xx to a repeat too, and drop it: what gets another answer is sent again.',
    })
    return { ...finding, received: `${inWords(first)}, then ${inWords(second)}` }
  },
}

export const messages: Check[] = [
  sample('text', () => text('Hello')),
  ...Object.keys(demoMessages('')).map((type) =>
    sample(type, (mediaUrl) => ({ type, payload: demoMessages(mediaUrl)[type]! }))
  ),
  unknownType,
  ...contents,
  repeat,
]
