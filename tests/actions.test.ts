import { expect, it } from 'vitest'
import { messageBody, send } from './backend'
import { endpointForTest, sandboxForTest } from './for-test'

const output = ({ body }: { body?: string }) => JSON.parse(body!).output

it('getOrCreateUser creates a user with the external id, and gets it after', async () => {
  const sandbox = await sandboxForTest()
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
  const sandbox = await sandboxForTest({ endpoint: endpoint.url })
  const input = { conversation: { id: 'tea' } }

  const created = output(await sandbox.callAction('getOrCreateConversation', input))
  const found = output(await sandbox.callAction('getOrCreateConversation', input))
  await sandbox.say(created.conversationId, { type: 'text', payload: { text: 'Good morning' } })

  expect(Object.keys(created)).toEqual(['conversationId'])
  expect(found).toEqual(created)
  expect(endpoint.messages()[0]!.body).toMatchObject({ conversationId: 'tea', payload: { text: 'Good morning' } })
})

it('the user and the conversation of an action are those of the webhook', async () => {
  const sandbox = await sandboxForTest()
  const { body } = await send(sandbox, messageBody({ userId: 'ada', conversationId: 'tea' }))
  expect(output(await sandbox.callAction('getOrCreateUser', { user: { id: 'ada' } }))).toEqual({ userId: body.user.id })
  expect(output(await sandbox.callAction('getOrCreateConversation', { conversation: { id: 'tea' } }))).toEqual({
    conversationId: body.conversation.id,
  })
})
