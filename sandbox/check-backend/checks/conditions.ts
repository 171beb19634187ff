import { adviceOn, inWords, isTaken } from '../answer'
import { type Check, findingOn } from '../check'
import { keepingAgents } from '../requests'

export const registrationTest: Check = {
  name: 'takes the registration’s test message',
  requests: 1,
  run: async ({ deliveries: { registration, registrationError } }) => ({
    outcome: registrationError === undefined ? 'passed' : 'failed',
    sent: '{"type":"test","payload":"test"}',
    received: registration.map(inWords).join(', then '),
    ...(registrationError !== undefined && {
      advice: `Answer 2xx to the type “test”, and do nothing else: without that the configuration cannot be saved. ${registrationError}`,
    }),
  }),
}

/** Over kept connections all others come: so it is looked at before them. */
export const keptConnection: Check = {
  name: 'takes messages over a kept connection',
  requests: 3,
  run: async ({ requests }) => {
    const sent = 'two messages over one connection, and one beside it'
    const { agents, close } = keepingAgents()
    try {
      const first = await requests.post({ agents })
      if (!isTaken(first)) return { outcome: 'not applicable', sent, received: inWords(first) }
      const beside = await requests.post({})
      if (!isTaken(beside)) {
        return findingOn(beside, {
          sent,
          shouldBe: isTaken,
          advice:
            'Serve several connections at a time: while one is kept, others have to get in. Or answer with “Connection: close”, and close it.',
        })
      }
      const second = await requests.post({ agents })
      const finding = findingOn(second, {
        sent,
        shouldBe: isTaken,
        advice:
          'Read each request to its end, and answer each one on a connection; or answer with “Connection: close”, and close it.',
      })
      const how = { true: ', over the same', false: ', over another' }[String(second.overKeptConnection)] ?? ''
      return { ...finding, received: `${inWords(first)}, then ${finding.received}${how}` }
    } finally {
      close()
    }
  },
}

export const promptAnswer: Check = {
  name: 'answers within 10 s',
  requests: 1,
  run: async ({ url, deliveries }) => {
    const answer = await deliveries.deliver({ type: 'text', payload: { text: 'Hello' } })
    return findingOn(answer, { sent: 'text: Hello', shouldBe: isTaken, advice: adviceOn(answer, url) })
  },
}
