import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Installation } from '../sandbox/cloud/installation'
import type { SandboxOptions } from '../sandbox/sandbox'
import { messageBody, send } from './backend'
import { endpointForTest, proxyForTest, sandboxForTest } from './for-test'

const HOW = ['reset', 'silence'] as const

/** Lets the bot say something in so many conversations at once. */
const sayInMany = async ({ chat, say }: Installation, count: number) => {
  const conversations = Array.from({ length: count }, (_, index) =>
    chat.operations.createConversation({ channel: 'channel', tags: { id: `${index} of ${count}` } })
  )
  const message = { type: 'text', payload: { text: 'Hi' } }
  return Promise.all(conversations.map(({ conversation }) => say(conversation.id, message)))
}

describe('connections to the endpoint that were kept, and forgotten on the way', () => {
  it('do not lose a message: a try after a connection error goes over a new one', async () => {
    // Answers once so many wait, so that there are as many connections.
    let expected = 10
    const waiting: ServerResponse[] = []
    const endpoint = await endpointForTest((response) => {
      waiting.push(response)
      if (waiting.length === expected) for (const one of waiting.splice(0)) one.writeHead(204).end()
    })
    const proxy = await proxyForTest(endpoint.url)
    const sandbox = await sandboxForTest({ endpoint: proxy.url })
    await sayInMany(sandbox, 10)
    expect(proxy.connections()).toBeGreaterThanOrEqual(10)
    const before = endpoint.messages().length
    proxy.forget('reset')
    expected = 1
    const [response] = await sayInMany(sandbox, 1)
    expect(response!.status).toBe(200)
    expect(endpoint.messages()).toHaveLength(before + 1)
    expect(proxy.lost()).toBeLessThanOrEqual(1)
  })

  it.each(HOW)('are not used again after four seconds: %s', async (how) => {
    const endpoint = await endpointForTest()
    const proxy = await proxyForTest(endpoint.url)
    const sandbox = await sandboxForTest({ endpoint: proxy.url })
    await sayInMany(sandbox, 1)
    await sleep(4500)
    proxy.forget(how)
    const [response] = await sayInMany(sandbox, 2)
    expect(response!.status).toBe(200)
    expect(endpoint.messages()).toHaveLength(3)
  })
})

/** A sandbox whose Botpress is behind a proxy. */
const sandboxBehindProxy = async (options: SandboxOptions) => {
  const env: Record<string, string> = {}
  const sandbox = await sandboxForTest({ ...options, env: () => env })
  const proxy = await proxyForTest(new URL(sandbox.webhookUrl).origin)
  env['BP_API_URL'] = new URL(proxy.url).origin
  await sandbox.endInstance()
  return { sandbox, proxy }
}

describe('connections to Botpress that were kept, and forgotten on the way', () => {
  it.each(HOW)('do not lose a message: %s', async (how) => {
    const { sandbox, proxy } = await sandboxBehindProxy({ bot: () => [], onApiCall: () => ({ delayMs: 500 }) })
    const sendTen = () => Promise.all(Array.from({ length: 10 }, () => send(sandbox, messageBody())))
    await sendTen()
    expect(proxy.connections()).toBeGreaterThanOrEqual(10)
    proxy.forget(how)
    expect((await send(sandbox, messageBody())).status).toBe(200)
    expect(sandbox.chat.messages.all()).toHaveLength(11)
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
    const sandbox = await sandboxForTest()
    const installations = await Promise.all(endpoints.map(({ url }) => sandbox.install({ endpoint: url })))
    for (const installation of installations) await sayInMany(installation, 1)
    const open = () => Promise.all(endpoints.map((endpoint) => endpoint.open()))
    // For the servers to see it; on a machine that takes longer than four seconds, more are closed.
    await sleep(200)
    expect((await open()).filter(Boolean).length).toBeLessThanOrEqual(51)
    expect((await open()).slice(0, 9)).toEqual(Array(9).fill(0))
  })

  it('of an endpoint that is left alone: they are closed after four seconds', async () => {
    const endpoint = await endpointForTest()
    await sandboxForTest({ endpoint: endpoint.url })
    expect(endpoint.connections()).toBe(1)
    await expect.poll(() => endpoint.open()).toBe(0)
  })
})
