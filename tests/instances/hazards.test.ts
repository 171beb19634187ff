import http from 'node:http'
import { json } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { messageBody, send } from '../harness/backend'
import { installationForTest } from '../harness/for-test'

// What is particular to Botpress's cloud and client, and would hurt who does not know of it. The hazards of tokens, tags
// and errors are in refusals.test.ts and sending.test.ts.

describe('an instance of the integration, which the cloud may end at any time', () => {
  it('takes with it nothing that guards against duplicates', async () => {
    const sandbox = await installationForTest()
    const body = messageBody()
    const first = await send(sandbox, body)
    await sandbox.endInstance()
    const second = await send(sandbox, body)
    await sandbox.settled()
    expect(second.body.message).toEqual(first.body.message)
    expect(sandbox.chat.messages.all().filter(({ direction }) => direction === 'outgoing')).toHaveLength(1)
  })
})

describe('a body whose characters straddle two chunks', () => {
  it('arrives whole', async () => {
    const heard: unknown[] = []
    const sandbox = await installationForTest({
      bot: ({ payload }) => {
        heard.push(payload.text)
        return []
      },
    })
    const bytes = Buffer.from(JSON.stringify(messageBody({ text: '日本語 👩‍👩‍👧 é' })))
    const request = http.request(sandbox.webhookUrl, {
      method: 'POST',
      headers: { authorization: `Bearer ${sandbox.token}` },
    })
    for (const byte of bytes) {
      request.write(Buffer.of(byte))
      await new Promise(setImmediate)
    }
    const response = await new Promise<http.IncomingMessage>((resolve) => request.on('response', resolve).end())
    await json(response)
    await sandbox.settled()
    expect(heard).toEqual(['日本語 👩‍👩‍👧 é'])
  })
})

describe('a failure that the SDK would hide behind a generic one', () => {
  it('says what happened', async () => {
    const sandbox = await installationForTest()
    const { conversation } = sandbox.chat.operations.createConversation({ channel: 'channel', tags: {} })
    const response = await sandbox.say(conversation.id, { type: 'text', payload: { text: 'Hi' } })
    expect(response.body).not.toContain('An unexpected error occurred')
    expect(response.body).toContain('external id')
  })
})

describe('the integration’s own token in the environment', () => {
  it.each(['', 'undefined', 'null'])('does not stand in for a caller’s: "Bearer %s"', async (token) => {
    const used: (string | undefined)[] = []
    const sandbox = await installationForTest({ onApiCall: ({ headers }) => void used.push(headers.authorization) })
    used.length = 0
    const answer = await send(sandbox, messageBody(), { authorization: `Bearer ${token}` })
    expect(answer.status).toBe(401)
    expect(used).not.toContain(`Bearer ${sandbox.integrationToken}`)
  })
})
