import { expect, it } from 'vitest'
import type { Fault } from '../../sandbox/cloud/chat/chat-api'
import { messageBody, send } from '../harness/backend'
import { endpointForTest, installationForTest, sandboxForTest } from '../harness/for-test'

const output = ({ body }: { body?: string }) => JSON.parse(body!).output

it('getOrCreateUser creates a user with the external id, and gets it after', async () => {
  const sandbox = await installationForTest()
  const input = { user: { id: 'ada' }, name: 'Ada Lovelace', pictureUrl: 'https://example.com/ada.png' }

  const created = output(await sandbox.callAction('getOrCreateUser', input))
  const found = output(await sandbox.callAction('getOrCreateUser', { user: { id: 'ada' } }))

  expect(Object.keys(created)).toEqual(['userId'])
  expect(found).toEqual(created)
  expect(sandbox.chat.users.get(created.userId)).toMatchObject({
    tags: { id: 'ada' },
    name: 'Ada Lovelace',
    pictureUrl: 'https://example.com/ada.png',
  })
})

it('getOrCreateConversation makes a conversation that the bot can write to first', async () => {
  const endpoint = await endpointForTest()
  const sandbox = await installationForTest({ endpoint: endpoint.url })
  const input = { conversation: { id: 'tea' } }

  const created = output(await sandbox.callAction('getOrCreateConversation', input))
  const found = output(await sandbox.callAction('getOrCreateConversation', input))
  await sandbox.say(created.conversationId, { type: 'text', payload: { text: 'Good morning' } })

  expect(Object.keys(created)).toEqual(['conversationId'])
  expect(found).toEqual(created)
  expect(endpoint.messages()[0]!.body).toMatchObject({ conversationId: 'tea', payload: { text: 'Good morning' } })
})

it('the user and the conversation of an action are those of the webhook', async () => {
  const sandbox = await installationForTest()
  const { body } = await send(sandbox, messageBody({ userId: 'ada', conversationId: 'tea' }))
  expect(output(await sandbox.callAction('getOrCreateUser', { user: { id: 'ada' } }))).toEqual({ userId: body.user.id })
  expect(output(await sandbox.callAction('getOrCreateConversation', { conversation: { id: 'tea' } }))).toEqual({
    conversationId: body.conversation.id,
  })
})

it('getOrCreateUser keeps the name and the picture up to date', async () => {
  const sandbox = await installationForTest()
  const act = (fields: object) => sandbox.callAction('getOrCreateUser', { user: { id: 'ada' }, ...fields })
  const { userId } = output(await act({ name: 'Ada', pictureUrl: 'https://example.com/ada.png' }))
  await act({ name: 'Countess', pictureUrl: '' })
  expect(sandbox.chat.users.get(userId)).toMatchObject({ name: 'Countess', pictureUrl: 'https://example.com/ada.png' })
})

it('a name that an action has changed is replaced by the next message that tells another', async () => {
  const sandbox = await installationForTest()
  const body = messageBody({ userId: 'ada', user: { name: 'Ada' } })
  const { user } = (await send(sandbox, body)).body
  await sandbox.callAction('getOrCreateUser', { user: { id: 'ada' }, name: 'Countess' })
  expect((await send(sandbox, { ...body, messageId: 'without', user: undefined })).body.user.name).toBe('Countess')
  await send(sandbox, { ...body, messageId: 'later' })
  expect(sandbox.chat.users.get(user.id).name).toBe('Ada')
})

const apiError = (status: number): Fault => ({
  answer: { status, body: { id: 'err_1', code: status, type: 'Unknown', message: 'The reason' } },
})

it.each<[string, Fault]>([
  ['500', apiError(500)],
  ['503', { answer: { status: 503 } }],
  ['504', { answer: { status: 504 } }],
  ['a reset', { reset: 'before write' }],
  ['a reset after the write', { reset: 'after write' }],
])('an action is tried again after a passing failure of Botpress: %s', async (_what, fault) => {
  let left = 0
  const sandbox = await installationForTest({ onApiCall: () => (left-- > 0 ? fault : undefined) })
  for (const [type, input] of [
    ['getOrCreateUser', { user: { id: 'ada' } }],
    ['getOrCreateConversation', { conversation: { id: 'tea' } }],
  ] as const) {
    left = 1
    expect((await sandbox.callAction(type, input)).status).toBe(200)
  }
})

it('an action that Botpress refuses tells its reason, after one try', async () => {
  const calls: unknown[] = []
  const sandbox = await installationForTest({
    onApiCall: (call) => {
      calls.push(call)
      return apiError(400)
    },
  })
  calls.length = 0
  const response = await sandbox.callAction('getOrCreateUser', { user: { id: 'ada' } })
  expect(JSON.parse(response.body!)).toMatchObject({
    type: 'Runtime',
    message: 'Botpress did not carry out the action: The reason.',
  })
  expect(calls).toHaveLength(1)
})

it('an action is carried out with the integration’s own token', async () => {
  const used = new Set<unknown>()
  const sandbox = await sandboxForTest({ onApiCall: ({ headers }) => void used.add(headers.authorization) })
  await sandbox.callAction('getOrCreateConversation', { conversation: { id: 'tea' } })
  expect([...used]).toEqual([`Bearer ${sandbox.integrationToken}`])
})
