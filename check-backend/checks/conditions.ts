import { adviceOn, inWords, isTaken } from '../answer'
import { type Check, findingOn } from '../check'
import { keepingAgents } from '../requests'

export const registrationTest: Check = {
  name: 'takes the registration’s test message',
  requests: 2,
  run: async ({ url, deliveries: { registration, registrationError } }) => {
    const isWhole = registration.length > 1
    return {
      outcome: registrationError === undefined ? 'passed' : 'failed',
      sent: `{"type":"test","payload":"test"}${isWhole ? ', then with all six fields' : ''}`,
      received: registration.map(inWords).join(', then '),
      ...(registrationError !== undefined && {
        advice: `Answer 2xx to the type "test", and do nothing else: without that the configuration cannot be saved. ${adviceOn(registration.at(-1)!, url)}`,
      }),
    }
  },
}

/** Over kept connections all others come: so it is looked at before them. */
export const keptConnection: Check = {
  name: 'takes messages over a kept connection',
  requests: 2,
  run: async ({ requests }) => {
    const sent = 'two messages, one after the other'
    const { agents, close } = keepingAgents()
    try {
      const first = await requests.post({ agents })
      if (!isTaken(first)) return { outcome: 'not applicable', sent, received: inWords(first) }
      const second = await requests.post({ agents })
      const finding = findingOn(second, {
        sent,
        shouldBe: isTaken,
        advice:
          'Read each request to its end, and answer each one on a connection; or answer with “Connection: close”, and close it.',
      })
      const how = second.overKeptConnection ? 'over the same connection' : 'each over a connection of its own'
      return { ...finding, received: `${inWords(first)}, then ${finding.received}, ${how}` }
    } finally {
      close()
    }
  },
}

/** Of a backend that answers before it works. */
const PROMPT_MS = 1000

export const promptAnswer: Check = {
  name: 'answers within 10 s',
  requests: 1,
  run: async ({ url, deliveries }) => {
    const answer = await deliveries.deliver({ type: 'text', payload: { text: 'Hello' } })
    const finding = findingOn(answer, { sent: 'text: Hello', shouldBe: isTaken, advice: adviceOn(answer, url) })
    const isSlow = answer.ms > PROMPT_MS
    return {
      ...finding,
      ...(finding.outcome === 'passed' &&
        isSlow && {
          advice:
            'Answer first, within 1 s, and work then: what is not answered within 30 s may be lost, and the bot’s messages wait for each other.',
        }),
    }
  },
}
