import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Installation } from '../../sandbox/cloud/installation'
import { messageBody, send } from '../harness/backend'
import { endpointForTest, proxyForTest, sandboxBehindProxy, installationForTest } from '../harness/for-test'

const HOW = ['reset', 'silence'] as const

const say = ({ chat, say: sayIn }: Installation) => {
  const { conversation } = chat.operations.getOrCreateConversation({ channel: 'channel', tags: { id: 'tea' } })
  return sayIn(conversation.id, { type: 'text', payload: { text: 'Hi' } })
}

describe('connections to the endpoint that were kept, and forgotten on the way', () => {
  it('do not lose a message: a try after a connection error goes over a new one', async () => {
    const endpoint = await endpointForTest()
    const proxy = await proxyForTest(endpoint.url)
    const sandbox = await installationForTest({ endpoint: proxy.url })
    await say(sandbox)
    expect(proxy.connections()).toBe(1)
    proxy.forget('reset')
    expect((await say(sandbox)).status).toBe(200)
    expect(endpoint.messages()).toHaveLength(2)
    expect(proxy.lost()).toBe(1)
  })

  it.each(HOW)('are not used again after four seconds: %s', async (how) => {
    const endpoint = await endpointForTest()
    const proxy = await proxyForTest(endpoint.url)
    const sandbox = await installationForTest({ endpoint: proxy.url })
    await say(sandbox)
    sandbox.elapse(4100)
    proxy.forget(how)
    expect((await say(sandbox)).status).toBe(200)
    expect(endpoint.messages()).toHaveLength(2)
    expect(proxy.lost()).toBe(0)
  })
})

describe('connections to Botpress that were kept, and forgotten on the way', () => {
  it.each(HOW)('do not lose a message: %s', async (how) => {
    const { sandbox, proxy } = await sandboxBehindProxy({ bot: () => [], onApiCall: () => ({ delayMs: 500 }) })
    await send(sandbox, messageBody())
    expect(proxy.open()).toBe(2)
    proxy.forget(how)
    expect((await send(sandbox, messageBody())).status).toBe(200)
    expect(sandbox.chat.messages.all()).toHaveLength(2)
    // The look-ups of the conversation and the user, side by side, and nothing after.
    expect(proxy.lost()).toBeLessThanOrEqual(2)
  })
})

describe('connections do not pile up', () => {
  it('of made-up tokens: they share those to Botpress', async () => {
    const { sandbox, proxy } = await sandboxBehindProxy({})
    for (let count = 0; count < 30; count++) {
      const answer = await send(sandbox, messageBody(), { authorization: `Bearer made_up_${count}` })
      expect(answer.status).toBe(401)
    }
    expect(proxy.open()).toBeLessThanOrEqual(2)
  })

  it('of many endpoints: the oldest idle ones are closed', async () => {
    const endpoints = await Promise.all(Array.from({ length: 60 }, () => endpointForTest()))
    const sandbox = await installationForTest({ maxInstances: 1 })
    const installations = await Promise.all(endpoints.map(({ url }) => sandbox.install({ endpoint: url })))
    for (const installation of installations) await say(installation)
    const open = () => Promise.all(endpoints.map((endpoint) => endpoint.open()))
    // For the servers to see it; on a machine that takes longer than four seconds, more are closed.
    await expect.poll(async () => (await open()).filter(Boolean).length).toBeLessThanOrEqual(51)
    expect((await open()).slice(0, 9)).toEqual(Array(9).fill(0))
  })

  it('of an endpoint that is left alone: they are closed after four seconds, or in the call after', async () => {
    const endpoint = await endpointForTest()
    const sandbox = await installationForTest({ endpoint: endpoint.url })
    await sleep(4100)
    expect(await endpoint.open()).toBe(1)
    await send(sandbox, messageBody({ text: 'silent' }))
    await expect.poll(() => endpoint.open()).toBe(0)
  })
})
