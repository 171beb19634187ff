import { createServer, type RequestListener } from 'node:http'
import { Socket } from 'node:net'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { BotpressFailure } from './botpress-failure'
import type * as bp from '.botpress'
import { createClient, integrationAsCaller, tokenAsCaller } from './client'
import { hostForTest } from '../../tests/harness/host-for-test'

const installation = { botId: 'bot', integrationId: 'integration', webhookId: 'webhook' }

const callerClient = (token: string, of: object) => tokenAsCaller(of as bp.Context, token).client
const integrationClient = (of: object) => integrationAsCaller(of as bp.Context).client

/** Lets a server stand for Botpress. */
const botpress = async (listener: RequestListener): Promise<void> => {
  const server = createServer(listener)
  vi.stubEnv('BP_API_URL', `http://${await hostForTest(server)}`)
  onTestFinished(() => void vi.unstubAllEnvs())
}

const failureOf = async (work: Promise<unknown>) => BotpressFailure.in(await work.catch((error: unknown) => error))

it('a call that takes too long fails as timed out', async () => {
  await botpress(() => {})
  const client = createClient({ token: 'token', installation, timeoutMs: 50 })
  expect(await failureOf(client.getUser({ id: 'user' }))).toMatchObject({ more: { timedOut: true, status: undefined } })
})

it('a call that the network has given up fails as timed out', async () => {
  await botpress((request) => void request.socket.destroy())
  const client = createClient({ token: 'token', installation })
  // As a system does that has heard nothing for minutes.
  const connect = vi.spyOn(Socket.prototype, 'connect').mockImplementation(function (this: Socket) {
    const error = Object.assign(new Error('connect ETIMEDOUT'), { code: 'ETIMEDOUT' })
    process.nextTick(() => this.destroy(error))
    return this
  })
  const failure = await failureOf(client.getUser({ id: 'user' }))
  connect.mockRestore()
  expect(failure).toMatchObject({ more: { timedOut: true } })
})

it('a failure tells whether a connection was made: without one, Botpress surely did nothing', async () => {
  const unsentOf = async (url: string) => {
    vi.stubEnv('BP_API_URL', url)
    onTestFinished(() => void vi.unstubAllEnvs())
    return (await failureOf(createClient({ token: 'token', installation }).getUser({ id: 'user' })))!.leavesOpen
  }
  const closing = createServer((request) => void request.socket.destroy())
  const host = await hostForTest(closing)
  expect(await unsentOf(`http://${host}`)).toBe(true)
  expect(await unsentOf('http://127.0.0.1:9')).toBe(false)
  expect(await unsentOf('http://name.invalid')).toBe(false)
  // It speaks no TLS.
  expect(await unsentOf(`https://${host}`)).toBe(false)
})

it.each([
  ['RateLimit-Reset', 429, { 'ratelimit-reset': '7' }, 7000],
  ['X-RateLimit-Reset', 429, { 'x-ratelimit-reset': '8' }, 8000],
  ['Retry-After', 429, { 'retry-after': '9' }, 9000],
  ['the first of them', 429, { 'retry-after': '9', 'ratelimit-reset': '7' }, 7000],
  ['Retry-After of another failure', 503, { 'retry-after': '9', 'ratelimit-reset': '7' }, 9000],
  ['nothing', 503, { 'ratelimit-reset': '7' }, undefined],
])('a failure tells how long Botpress asks to wait: %s on %i', async (_what, status, headers, retryAfterMs) => {
  await botpress((_request, response) => response.writeHead(status, headers as Record<string, string>).end())
  const failure = await failureOf(createClient({ token: 'token', installation }).getUser({ id: 'user' }))
  expect(failure!.more).toMatchObject({ status, retryAfterMs })
})

it('a call names the bot, the integration and, where there is one, its alias', async () => {
  const seen: unknown[] = []
  await botpress(({ headers }, response) => {
    seen.push([headers['x-bot-id'], headers['x-integration-id'], headers['x-integration-alias']])
    response.end('{}')
  })
  await createClient({ token: 'token', installation }).getUser({ id: 'user' })
  const second = { ...installation, integrationAlias: 'second' }
  await createClient({ token: 'token', installation: second }).getUser({ id: 'user' })
  expect(seen).toEqual([
    ['bot', 'integration', undefined],
    ['bot', 'integration', 'second'],
  ])
})

describe('the client of a caller', () => {
  it('is made once for a token in an installation', () => {
    const client = callerClient('token', installation)
    expect(callerClient('token', { ...installation })).toBe(client)
    expect(callerClient('another', installation)).not.toBe(client)
    for (const name of ['botId', 'integrationId', 'webhookId', 'integrationAlias']) {
      expect(callerClient('token', { ...installation, [name]: 'another' })).not.toBe(client)
    }
    expect(integrationClient(installation)).not.toBe(client)
    expect(integrationClient(installation)).toBe(integrationClient(installation))
  })

  it.each([
    [401, false],
    [403, false],
    [404, true],
    [500, true],
  ])('after Botpress has answered %i is remembered: %j', async (status, isRemembered) => {
    await botpress((_request, response) => response.writeHead(status).end())
    const client = callerClient(`token ${status}`, installation)
    await failureOf(client.getUser({ id: 'user' }))
    expect(callerClient(`token ${status}`, installation) === client).toBe(isRemembered)
  })

  it('is one of a hundred at most: those used last stay', () => {
    const first = callerClient('first', installation)
    const used = callerClient('used', installation)
    for (let count = 0; count < 100; count++) {
      callerClient(`token ${count}`, installation)
      callerClient('used', installation)
    }
    expect(callerClient('used', installation)).toBe(used)
    expect(callerClient('first', installation)).not.toBe(first)
  })
})

it('what is not of Botpress is no failure of its own', () => {
  expect(BotpressFailure.in(new Error('else'))).toBeUndefined()
})

it.each([
  [undefined, true],
  [400, false],
  [404, false],
  [409, true],
  [410, false],
  [429, true],
  [500, true],
  [501, false],
  [502, true],
  [503, true],
  [504, true],
])('a failure with the status %j passes: %j', (status, isTemporary) => {
  expect(new BotpressFailure('reason', { status }).isTemporary).toBe(isTemporary)
})

it.each([
  [{ status: 404, type: 'ResourceNotFound' }, true],
  [{ status: 404 }, true],
  [{ status: 400, type: 'ReferenceNotFound' }, true],
  [{ status: 400, type: 'InvalidPayload' }, false],
  [{}, false],
])('a failure with %j is of a missing resource: %j', (more, isMissingResource) => {
  expect(new BotpressFailure('reason', more).isMissingResource).toBe(isMissingResource)
})
