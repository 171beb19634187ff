import { expect, it } from 'vitest'
import { endpointForTest } from '../../tests/endpoint'
import { postMessage } from './post-message'

const message = {
  type: 'text',
  payload: { text: 'Hi' },
  conversationId: 'c',
  botpressUserId: 'u',
  botpressMessageId: 'm',
  botpressConversationId: 'b',
}

it('an endpoint that does not answer in time is too slow', async () => {
  const endpoint = await endpointForTest(() => {})
  await expect(postMessage(new URL(endpoint.url), message, { timeoutMs: 50 })).rejects.toThrow(
    `${new URL(endpoint.url).host} did not answer within 0.05 s`
  )
})

it('an endpoint that answers in time may take its time with the body', async () => {
  const endpoint = await endpointForTest((response) => response.writeHead(200).write('…'))
  await expect(postMessage(new URL(endpoint.url), message, { timeoutMs: 500 })).resolves.toBeUndefined()
})

it('messages one after another share one connection', async () => {
  const endpoint = await endpointForTest((response) => response.writeHead(200).end('thanks'))
  for (let count = 0; count < 5; count++) {
    await postMessage(new URL(endpoint.url), message)
    await new Promise(setImmediate)
  }
  expect(endpoint.messages()).toHaveLength(5)
  expect(endpoint.connections()).toBe(1)
})

it.each([
  ['/else?token=secret', /to http:\/\/127\.0\.0\.1:\d+\/else,/],
  ['https://user:password@example.com/x?token=secret', /to https:\/\/example\.com\/x,/],
  ['http://[', /to nowhere,/],
])('a redirect to %s is told without what is secret', async (location, told) => {
  const endpoint = await endpointForTest((response) => response.writeHead(307, { location }).end())
  await expect(postMessage(new URL(endpoint.url), message)).rejects.toThrow(told)
})
