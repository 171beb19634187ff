import { describe, expect, it } from 'vitest'
import type { ApiCall, Fault } from '../../sandbox/cloud/chat/chat-api'
import { messageBody, send } from '../harness/backend'
import { endpointForTest, FOREIGN_TOKEN, installationForTest } from '../harness/for-test'
import { conversationIn, missedMessage } from '../redelivery/missed-message'

const started = async (maxInstances?: number) => {
  let faultOf = (_call: ApiCall): Fault | undefined => undefined
  const calls: string[] = []
  const installation = await installationForTest({
    maxInstances,
    onApiCall: (call) => {
      calls.push(call.operation)
      return faultOf(call)
    },
  })
  const say = async (fields: Record<string, unknown> = {}) => {
    const answer = await send(installation, messageBody({ conversationId: 'tea', userId: 'ada', ...fields }))
    await installation.settled()
    return answer
  }
  const forget = (path: string, how: Parameters<typeof send>[2] = {}) =>
    send(installation, undefined, { method: 'DELETE', path, ...how })
  const failWith = (fault: (call: ApiCall) => Fault | undefined) => void (faultOf = fault)
  return { installation, calls, say, forget, failWith }
}

describe('DELETE {webhook URL}/conversations', () => {
  it('deletes a conversation with its messages and no other, answers 204 without a body, and can be repeated', async () => {
    const { installation, say, forget } = await started()
    const { body } = await say()
    await say({ conversationId: 'other' })
    const answer = await forget('/conversations?conversationId=tea')
    expect([answer.status, answer.text]).toEqual([204, ''])
    const { conversations, messages, users } = installation.chat
    expect(conversations.all().map(({ tags }) => tags['id'])).toEqual(['other'])
    expect(messages.all().map(({ conversationId }) => conversationId)).not.toContain(body.conversation.id)
    expect(messages.all()).toHaveLength(2)
    expect(users.all().map(({ tags }) => tags['id'])).toContain('ada')
    expect((await forget('/conversations?conversationId=tea')).status).toBe(204)
    expect((await send(installation, undefined, { method: 'GET', path: '/messages?conversationId=tea' })).status).toBe(
      404
    )
  })

  it('what the instance remembers of it is forgotten too: the next message opens a new one, at once', async () => {
    const { calls, say, forget } = await started(1)
    const { body } = await say()
    await forget('/conversations?conversationId=tea')
    calls.length = 0
    const { body: next } = await say()
    expect(next.conversation.id).not.toBe(body.conversation.id)
    expect(calls.filter((operation) => operation.startsWith('getOrCreate'))).toEqual([
      'getOrCreateConversation',
      'getOrCreateMessage',
    ])
  })

  it('another instance, which still remembers it, makes it again', async () => {
    const { installation, say, forget } = await started(2)
    await Promise.all([say({ messageId: '1' }), say({ messageId: '2' })])
    await forget('/conversations?conversationId=tea')
    const answers = await Promise.all([say({ messageId: '3' }), say({ messageId: '4' })])
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    expect(installation.chat.conversations.all()).toHaveLength(1)
  })

  it('a telephone number whose plus is not encoded is 400: another id would be deleted, or none', async () => {
    const { installation, say, forget } = await started()
    for (const conversationId of ['+4917012345', 'whatsapp:+33612345678']) {
      await say({ conversationId })
      const { status, body } = await forget(`/conversations?conversationId=${conversationId}`)
      expect([status, body.errors[0].message]).toEqual([400, expect.stringContaining('write %2B for a plus')])
      expect((await forget(`/conversations?${new URLSearchParams({ conversationId })}`)).status).toBe(204)
    }
    await say({ conversationId: 'order 7' })
    expect((await forget('/conversations?conversationId=order+7')).status).toBe(204)
    expect(installation.chat.conversations.all()).toEqual([])
  })

  it('deletes what the instance knows, though the lists of Botpress lag behind', async () => {
    const { installation, say, forget, failWith } = await started(1)
    await say()
    failWith(({ operation }) =>
      operation.startsWith('list')
        ? { answer: { status: 200, body: { conversations: [], users: [], messages: [], meta: {} } } }
        : undefined
    )
    expect((await forget('/conversations?conversationId=tea')).status).toBe(204)
    expect((await forget('/users?userId=ada')).status).toBe(204)
    expect([installation.chat.conversations.all(), installation.chat.users.all().length]).toEqual([[], 1])
  })

  it('a message beside deletions gets through', async () => {
    const { installation, say, failWith } = await started(1)
    await say()
    let deletions = 2
    failWith(({ operation }) => {
      if (operation === 'getOrCreateMessage' && deletions-- > 0)
        installation.chat.operations.deleteConversation({ id: installation.chat.conversations.all()[0]!.id })
      return undefined
    })
    expect((await say()).status).toBe(200)
    expect(installation.chat.conversations.all()).toHaveLength(1)
  })

  it('a message of it is not tried again', async () => {
    const { installation, forget } = await started()
    const endpoint = await endpointForTest((response) => response.writeHead(500).end())
    installation.configure({ endpoint: endpoint.url })
    await send(installation, messageBody({ conversationId: 'tea' }))
    await expect.poll(() => endpoint.messages().length).toBe(1)
    await forget('/conversations?conversationId=tea')
    await installation.settled()
    expect(endpoint.messages()).toHaveLength(1)
  })

  it('a redelivery that is under way goes on without its messages', async () => {
    const { installation } = await started()
    const { id } = conversationIn(installation)
    const endpoint = await endpointForTest((response, { text }) => {
      if (text.includes('"0"')) installation.chat.operations.deleteConversation({ id })
      response.writeHead(204).end()
    })
    for (let count = 0; count < 30; count++) missedMessage(installation, `${count}`)
    missedMessage(installation, 'of another', { conversation: 'other' })
    installation.configure({ endpoint: endpoint.url })
    await send(installation, {}, { path: '/redeliveries' })
    const texts = endpoint.messages().map(({ body }) => (body['payload'] as { text: string }).text)
    expect(texts).toContain('of another')
    // Removals of marks run beside the next tries: they tell that it is gone.
    expect(texts.length).toBeLessThan(10)
  })

  it('ids may have any characters', async () => {
    const { installation, say, forget } = await started()
    for (const conversationId of ['a+b', 'a b', 'ñ/?&=#', '__proto__']) {
      await say({ conversationId })
      await forget(`/conversations?${new URLSearchParams({ conversationId })}`)
      expect(installation.chat.conversations.all()).toEqual([])
    }
  })
})

describe('DELETE {webhook URL}/users', () => {
  it('deletes a user and no other, answers 204 without a body, and can be repeated', async () => {
    const { installation, say, forget } = await started(1)
    const { body } = await say()
    await say({ userId: 'bob' })
    const answer = await forget('/users?userId=ada')
    expect([answer.status, answer.text]).toEqual([204, ''])
    const ids = () => installation.chat.users.all().map(({ tags }) => tags['id'])
    expect(ids()).toEqual([undefined, 'bob'])
    expect((await forget('/users?userId=ada')).status).toBe(204)
    const { body: next } = await say()
    expect(next.user.id).not.toBe(body.user.id)
    expect(ids()).toEqual([undefined, 'bob', 'ada'])
  })
})

describe.each([
  ['/conversations', 'conversationId'],
  ['/users', 'userId'],
])('DELETE {webhook URL}%s', (path, name) => {
  it.each([
    ['no id', ''],
    ['an empty one', `?${name}=`],
    ['two', `?${name}=a&${name}=b`],
    ['another parameter', '?id=a'],
    ['one that is too long', `?${name}=${'x'.repeat(501)}`],
    ['one that is not UTF-8', `?${name}=%ff`],
  ])('%s is 400, and asks nothing of Botpress', async (_what, query) => {
    const { calls, forget } = await started()
    calls.length = 0
    const { status, body } = await forget(path + query)
    expect([status, body.errors[0].path, calls]).toEqual([400, name, []])
  })

  it('is 401 without a credential, 403 with another’s token, 405 for a POST', async () => {
    const { installation, say, forget } = await started()
    await say()
    const query = `${path}?${name}=${name === 'userId' ? 'ada' : 'tea'}`
    expect((await forget(query, { authorization: null })).status).toBe(401)
    expect((await forget(query, { authorization: `Bearer ${FOREIGN_TOKEN}` })).status).toBe(403)
    const { status, headers } = await forget(query, { method: 'POST' })
    expect([status, headers.get('allow')]).toEqual([405, 'DELETE'])
    expect(installation.chat.users.all()).toHaveLength(2)
    expect(installation.chat.conversations.all()).toHaveLength(1)
  })

  it('what may pass is tried again; a refusal is passed on, and what another has deleted meanwhile is deleted', async () => {
    const { say, forget, failWith } = await started()
    await say()
    const query = `${path}?${name}=${name === 'userId' ? 'ada' : 'tea'}`
    let left = 2
    failWith(({ operation }) => (/^(list|delete)/.test(operation) && left-- > 0 ? { reset: 'after write' } : undefined))
    expect((await forget(query)).status).toBe(204)
    await say()
    const refused = { status: 403, body: { id: 'e', code: 403, type: 'Forbidden', message: 'No' } }
    failWith(({ operation }) => (operation.startsWith('delete') ? { answer: refused } : undefined))
    const { status, body } = await forget(query)
    expect([status, body.detail]).toEqual([403, 'Botpress refused the request: No'])
    const gone = { status: 404, body: { id: 'e', code: 404, type: 'ResourceNotFound', message: 'No' } }
    failWith(({ operation }) => (operation.startsWith('delete') ? { answer: gone } : undefined))
    expect((await forget(query)).status).toBe(204)
  })
})
