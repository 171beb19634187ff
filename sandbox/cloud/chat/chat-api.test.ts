import { state } from '@botpress/api'
import { Client, isApiError } from '@botpress/client'
import { readFile } from 'node:fs/promises'
import Ajv from 'ajv'
import { ulid } from 'ulid'
import { beforeAll, describe, expect, it } from 'vitest'
import { operations } from '../botpress-api.json'
import { botpressApiJson } from '../describe-botpress-api'
import type { ChatOperation } from './chat'
import type { Fault } from './chat-api'
import type { Installation } from '../installation'
import { type Sandbox, startSandbox } from '../../sandbox'

const ID = 'x'.repeat(30)

let sandbox: Sandbox
let client: Client
let fault: Fault | undefined

const clientOf = (props: object = {}) =>
  new Client({
    apiUrl: new URL(sandbox.webhookUrl).origin,
    token: sandbox.token,
    botId: sandbox.botId,
    integrationId: sandbox.integrationId,
    ...props,
  })

beforeAll(async () => {
  sandbox = await startSandbox({ foreignTokens: ['bp_pat_foreign'], onApiCall: () => fault })
  client = clientOf()
  return sandbox.close
})

const makeMessage = async (id: string) => {
  const { conversation } = await client.getOrCreateConversation({ channel: 'channel', tags: { id } })
  const { user } = await client.getOrCreateUser({ tags: { id } })
  const input = { conversationId: conversation.id, userId: user.id, type: 'text', payload: { text: id }, tags: { id } }
  const { message } = await client.getOrCreateMessage(input)
  return { conversation, user, message, input }
}

it('the vendor’s own description is what botpress-api.json keeps of it', async () => {
  expect(await readFile('sandbox/cloud/botpress-api.json', 'utf8')).toBe(botpressApiJson())
})

describe('the sandbox’s chat API, through the official client', () => {
  it('answers each operation as the vendor describes it', async () => {
    const ajv = new Ajv({ strict: false, validateFormats: false })
    ajv.addSchema({ $id: 'vendor', components: { schemas: Object.fromEntries(vendorSchemas()) } })
    const { conversation, user, message, input } = await makeMessage('described')
    const told = { type: 'done', payload: {}, conversationId: 'described' }
    const { event } = await client.createEvent({ type: 'custom', payload: told, messageId: message.id })
    const tags = { id: 'described' }
    const doomed = await makeMessage('doomed')
    const lock = { type: 'integration', id: sandbox.integrationId, name: 'redelivery' } as const
    const payload = { holder: 'described', until: 1 }
    const outputs: Record<ChatOperation, object> = {
      getOrSetState: await client.getOrSetState({ ...lock, payload, expiry: 60_000 }),
      getState: await client.getState(lock),
      setState: await client.setState({ ...lock, payload: null }),
      createConversation: await client.createConversation({ channel: 'channel', tags: {} }),
      getConversation: await client.getConversation({ id: conversation.id }),
      getOrCreateConversation: await client.getOrCreateConversation({ channel: 'channel', tags }),
      listConversations: await client.listConversations({ tags }),
      updateConversation: await client.updateConversation({ id: conversation.id, tags }),
      createUser: await client.createUser({ tags: {}, name: 'Ada' }),
      getUser: await client.getUser({ id: user.id }),
      getOrCreateUser: await client.getOrCreateUser({ tags }),
      listUsers: await client.listUsers({ conversationId: conversation.id }),
      updateUser: await client.updateUser({ id: user.id, name: 'Ada', pictureUrl: null }),
      createMessage: await client.createMessage({ ...input, tags: {} }),
      getMessage: await client.getMessage({ id: message.id }),
      getOrCreateMessage: await client.getOrCreateMessage(input),
      listMessages: await client.listMessages({ conversationId: conversation.id }),
      updateMessage: await client.updateMessage({ id: message.id, tags }),
      createEvent: { event },
      getEvent: await client.getEvent({ id: event.id }),
      listEvents: await client.listEvents({ messageId: message.id }),
      deleteMessage: await client.deleteMessage({ id: doomed.message.id }),
      deleteConversation: await client.deleteConversation({ id: doomed.conversation.id }),
      deleteUser: await client.deleteUser({ id: doomed.user.id }),
    }
    for (const name of Object.keys(operations) as ChatOperation[]) {
      const schema = JSON.parse(
        JSON.stringify(state.operations[name].response.schema).replaceAll('"#/components', '"vendor#/components')
      )
      const described = ajv.compile(schema)
      expect(described(outputs[name]), `${name}: ${ajv.errorsText(described.errors)}`).toBe(true)
    }
    expect(outputs.getOrCreateMessage).toEqual({ message })
    expect(outputs.listConversations).toMatchObject({ conversations: [{ id: conversation.id }] })
    expect(outputs.listUsers).toMatchObject({
      users: expect.arrayContaining([expect.objectContaining({ id: user.id })]),
    })
    expect(outputs.listEvents).toMatchObject({ events: [{ id: event.id }] })
  })

  it('pages through a list, the newest first, with none missing or doubled', async () => {
    const { conversation, user } = await makeMessage('paged')
    const texts = Array.from({ length: 45 }, (_, index) => `${index}`)
    for (const text of texts) {
      await client.createMessage({
        conversationId: conversation.id,
        userId: user.id,
        type: 'text',
        payload: { text },
        tags: {},
      })
    }
    const listed = await client.list.messages({ conversationId: conversation.id }).collect()
    const mine = listed.filter(({ direction }) => direction === 'incoming').map(({ payload }) => payload.text)
    expect(mine).toEqual([...texts.toReversed(), 'paged'])
  })

  it('pages on where what was listed has changed or is gone meanwhile', async () => {
    const { conversation, user } = await makeMessage('worked off')
    const input = { conversationId: conversation.id, userId: user.id, type: 'text', payload: {} }
    const tags = { conversationId: 'queue' }
    const made = Array.from({ length: 50 }, () => sandbox.chat.createBotMessage({ ...input, tags }).id)
    const seen: string[] = []
    let nextToken: string | undefined
    do {
      const page = await client.listMessages({ tags, nextToken })
      for (const { id } of page.messages) {
        seen.push(id)
        if (seen.length % 2) await client.updateMessage({ id, tags: { conversationId: '' } })
        else await client.deleteMessage({ id })
      }
      nextToken = page.meta.nextToken
    } while (nextToken)
    expect(seen).toEqual(made.toReversed())
  })

  it('a get-or-create is refused for what it asks, also where it would find something', async () => {
    const { conversation, input } = await makeMessage('checked')
    const calls: [number, () => Promise<unknown>][] = [
      [400, () => client.getOrCreateConversation({ channel: 'other', tags: { id: 'checked' } })],
      [400, () => client.getOrCreateConversation({ channel: 'channel', tags: { id: 'checked', other: 'x' } })],
      [400, () => client.getOrCreateUser({ tags: { id: 'checked', other: 'x' } })],
      [400, () => client.getOrCreateMessage({ ...input, tags: { ...input.tags, other: 'x' } })],
      [400, () => client.getOrCreateMessage({ ...input, conversationId: ID })],
      [413, () => client.getOrCreateMessage({ ...input, payload: { text: 'é'.repeat(65 * 1024) } })],
    ]
    for (const [code, call] of calls) await expect(call()).rejects.toMatchObject({ code })
    expect(conversation.id).toBe((await makeMessage('checked')).conversation.id)
  })

  it('no tags find nothing: neither the bot’s user nor its messages', async () => {
    const { conversation, user } = await makeMessage('untagged')
    const input = { conversationId: conversation.id, userId: user.id, type: 'text', payload: { text: 'Hi' } }
    const said = sandbox.chat.createBotMessage(input)
    const [{ user: first }, { user: second }] = [
      await client.getOrCreateUser({ tags: {} }),
      await client.getOrCreateUser({ tags: {} }),
    ]
    expect(new Set([first.id, second.id, said.userId]).size).toBe(3)
    const { message } = await client.getOrCreateMessage({ ...input, payload: { text: 'Ho' }, tags: {} })
    expect(message.id).not.toBe(said.id)
    expect(sandbox.chat.messages.get(said.id)).toEqual(said)
  })

  it('an empty value unsets a tag, and the item is found by the tags that remain', async () => {
    const { user } = await makeMessage('unset')
    await client.updateUser({ id: user.id, tags: { id: '' } })
    expect((await client.getUser({ id: user.id })).user.tags).toEqual({})
    expect((await client.getOrCreateUser({ tags: { id: 'unset' } })).user.id).not.toBe(user.id)
  })

  const wrongCalls: [string, number, string, (client: Client) => Promise<unknown>][] = [
    ['a tag too long', 400, 'InvalidPayload', (c) => c.getOrCreateUser({ tags: { id: 'x'.repeat(501) } })],
    ['a tag that is not declared', 400, 'InvalidPayload', (c) => c.getOrCreateUser({ tags: { other: 'x' } })],
    ['a channel that is not there', 400, 'InvalidPayload', (c) => c.createConversation({ channel: 'x', tags: {} })],
    ['a field too many', 400, 'InvalidPayload', (c) => c.updateConversation({ id: ID, tags: { id: 5 as never } })],
    ['a page token that was not given', 400, 'InvalidPayload', (c) => c.listMessages({ nextToken: 'x' })],
    ['an id for a page token', 400, 'InvalidPayload', (c) => c.listMessages({ nextToken: `msg_${ulid()}` })],
    ['an unknown resource', 404, 'ResourceNotFound', (c) => c.getMessage({ id: ID })],
    [
      'an unknown reference',
      400,
      'ReferenceNotFound',
      (c) => c.createMessage({ conversationId: ID, userId: ID, type: 'text', payload: {}, tags: {} }),
    ],
    ['an operation that is not there', 404, 'ResourceNotFound', (c) => c.listTasks({})],
  ]
  it('takes only events that are declared, with a payload as it is declared', async () => {
    const told = { type: 'done', payload: { any: 'thing' }, conversationId: 'tea' }
    const refused: [string, object, object?][] = [
      ['another', told],
      ['constructor', told],
      ['custom', {}],
      ['custom', { ...told, payload: 'text' }],
      ['custom', { ...told, userId: 5 }],
      ['custom', told, { conversationId: ID }],
      ['custom', told, { userId: ID }],
      ['custom', told, { conversationId: 'too short' }],
    ]
    for (const [type, payload, ids] of refused)
      await expect(client.createEvent({ type, payload, ...ids }), JSON.stringify(payload)).rejects.toMatchObject({
        code: 400,
      })
    expect((await client.createEvent({ type: 'custom', payload: told })).event.payload).toEqual(told)
  })

  it.each(wrongCalls)('refuses %s: %i %s', async (_what, code, type, call) => {
    const thrown = await call(client).catch((error: unknown) => error)
    expect(isApiError(thrown)).toBe(true)
    expect(thrown).toMatchObject({ code, type })
  })

  it.each([
    ['an unknown token', 401, { token: 'bp_pat_unknown' }],
    ['a token of another workspace', 403, { token: 'bp_pat_foreign' }],
    ['another bot', 403, { botId: 'another' }],
    ['another integration', 403, { integrationId: 'another' }],
  ])('refuses %s: %i', async (_what, code, props) => {
    await expect(clientOf(props).listMessages({})).rejects.toMatchObject({ code })
  })

  it('a message’s tags can be set on the bot’s messages too, and an empty value removes one', async () => {
    const { conversation, user } = await makeMessage('tagged')
    const { id } = sandbox.chat.createBotMessage({
      conversationId: conversation.id,
      userId: user.id,
      type: 'text',
      payload: { text: 'Hi' },
      tags: { mood: 'good' },
    })
    const tags = { id: 'one', conversationId: conversation.id }
    expect((await client.updateMessage({ id, tags })).message).toMatchObject({
      direction: 'outgoing',
      tags: { mood: 'good', ...tags },
    })
    const { message } = await client.updateMessage({ id, tags: { id: '' } })
    expect(message.tags).toEqual({ mood: 'good', conversationId: conversation.id })
    await expect(client.updateMessage({ id, tags: { undeclared: 'x' } })).rejects.toMatchObject({ code: 400 })
  })

  it('lists messages by their tags, over all conversations', async () => {
    const made = [await makeMessage('listed 1'), await makeMessage('listed 2'), await makeMessage('other')]
    for (const { message } of made.slice(0, 2)) {
      await client.updateMessage({ id: message.id, tags: { conversationId: 'both' } })
    }
    const { messages } = await client.listMessages({ tags: { conversationId: 'both' } })
    expect(messages.map(({ id }) => id)).toEqual([made[1]!.message.id, made[0]!.message.id])
  })

  it('has several installations in a bot, told by their alias or else by the token', async () => {
    const second = await sandbox.install({ inBotOf: sandbox, token: 'bp_pat_second' })
    const integration = { token: sandbox.integrationToken }
    const { user } = await clientOf({ token: second.token }).getOrCreateUser({ tags: { id: 'second' } })
    const listUsers = async (props: object) => (await clientOf(props).listUsers({ tags: { id: 'second' } })).users
    const aliased = (alias: string, props: object) => ({ ...props, headers: { 'x-integration-alias': alias } })
    expect(await listUsers(aliased(second.alias, integration))).toEqual([user])
    expect(await listUsers(aliased(second.alias, { token: second.token }))).toEqual([user])
    expect(await listUsers(aliased(sandbox.alias, integration))).toEqual([])
    expect(await listUsers({})).toEqual([])
    await expect(listUsers(aliased(second.alias, {}))).rejects.toMatchObject({ code: 403 })
    await expect(listUsers(aliased('another', integration))).rejects.toMatchObject({ code: 403 })
  })

  it('has states: get-or-set overwrites none, null removes one, an idle one expires, only declared ones are taken', async () => {
    const lock = { type: 'integration', id: sandbox.integrationId, name: 'redelivery' } as const
    const payloadAfter = async (until: number, expiry?: number) =>
      (await client.getOrSetState({ ...lock, payload: { holder: 'h', until }, expiry })).state.payload['until']
    expect(await payloadAfter(1)).toBe(1)
    expect(await payloadAfter(2)).toBe(1)
    await client.setState({ ...lock, payload: { holder: 'h', until: 3 } })
    expect((await client.getState(lock)).state.payload).toEqual({ holder: 'h', until: 3 })
    await client.setState({ ...lock, payload: null })
    await expect(client.getState(lock)).rejects.toMatchObject({ code: 404 })
    expect(await payloadAfter(4, 1)).toBe(4)
    await expect.poll(() => payloadAfter(5, 1)).toBe(5)
    const refused = [
      () => client.getState({ ...lock, name: 'another' }),
      () => client.getState({ ...lock, type: 'user' }),
      () => client.getOrSetState({ ...lock, payload: { until: 'tomorrow' } }),
      () => client.setState({ ...lock, payload: { holder: 'h', until: 1 }, expiry: 0 }),
    ]
    for (const call of refused) await expect(call()).rejects.toMatchObject({ code: 400 })
  })

  it('keeps the last 12,000 messages', async () => {
    const { conversation, user, message } = await makeMessage('first of many')
    const input = { conversationId: conversation.id, userId: user.id, type: 'text', payload: { text: 'Hi' } }
    for (let count = 0; count < 12_000; count++) sandbox.chat.createBotMessage(input)
    expect(sandbox.chat.messages.all()).toHaveLength(12_000)
    await expect(client.getMessage({ id: message.id })).rejects.toMatchObject({ code: 404 })
  })

  it.each([
    ['of requests a second', { requestsPerSecond: 3 }, 1],
    ['of messages a minute for a bot', { messagesPerMinute: 3 }, 60],
  ])('rate limits %s: 429 with RateLimit-Limit, -Remaining and -Reset', async (_what, rateLimits, window) => {
    const limited = await startSandbox({ rateLimits })
    const call = ({ token, botId, integrationId }: Installation = limited) =>
      fetch(new URL('/v1/chat/messages/get-or-create', limited.webhookUrl), {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'x-bot-id': botId,
          'x-integration-id': integrationId,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ conversationId: ID, userId: ID, type: 'text', payload: {}, tags: {} }),
      })
    // Many at once: a busy machine takes more than a window for a few.
    const answers = await Promise.all(Array.from({ length: 50 }, () => call()))
    const other = await limited.install({ token: 'bp_pat_other' })
    const ofOther = await call(other)
    await limited.close()
    // A bot has its own messages a minute; the requests a second are of all bots together.
    if (window === 60) expect(ofOther.status).toBe(400)
    const refused = answers.filter(({ status }) => status === 429)
    expect(refused.length).toBeGreaterThan(0)
    // The integration has asked once itself, when it was registered.
    expect(answers.filter(({ status }) => status === 400).length).toBeGreaterThanOrEqual(2)
    for (const { status, headers } of answers) {
      const [allowed, remaining, reset] = ['limit', 'remaining', 'reset'].map((name) =>
        Number(headers.get(`ratelimit-${name}`) ?? NaN)
      ) as [number, number, number]
      expect(allowed).toBe(3)
      if (status === 429) expect(remaining).toBe(0)
      else expect(remaining).toBeLessThan(3)
      expect(reset).toBeGreaterThanOrEqual(0)
      expect(reset).toBeLessThanOrEqual(window)
    }
    expect(await refused[0]!.json()).toMatchObject({ code: 429, type: 'RateLimited' })
  })

  it('fails as it is told', async () => {
    fault = { answer: { status: 429, body: { id: 'err_1', code: 429, type: 'RateLimited', message: 'Slow down' } } }
    await expect(client.listMessages({})).rejects.toMatchObject({ code: 429, message: 'Slow down' })
    fault = { reset: 'before write' }
    await expect(client.createUser({ tags: { id: 'before' } })).rejects.toThrow(/ECONNRESET|hang up/)
    fault = { reset: 'after write' }
    await expect(client.createUser({ tags: { id: 'after' } })).rejects.toThrow(/ECONNRESET|hang up/)
    fault = undefined
    expect(sandbox.chat.users.findByTags({ id: 'before' })).toBeUndefined()
    expect(sandbox.chat.users.findByTags({ id: 'after' })).toBeDefined()
  })
})

const vendorSchemas = () =>
  Object.entries(state.schemas).map(([name, { schema }]) => [
    name,
    JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"vendor#/components')),
  ])
