import { describe, it as test } from 'vitest'
import { startSandbox } from '../sandbox/sandbox'
import { startEndpoint } from './endpoint'

// They take as long as the integration's patience, side by side.
const it = test.concurrent

/** What becomes of a message whose endpoint answers after a while, or never. */
const deliver = async (afterMs?: number) => {
  const endpoint = await startEndpoint((response) => {
    if (afterMs !== undefined) setTimeout(() => response.writeHead(204).end(), afterMs)
  })
  const lines: string[] = []
  const sandbox = await startSandbox({ endpoint: endpoint.url, onLog: (line) => lines.push(line) })
  const { conversation } = sandbox.chat.operations.createConversation({ channel: 'channel', tags: { id: 'tea' } })
  const response = await sandbox.say(conversation.id, { type: 'text', payload: { text: 'Hi' } })
  const received = endpoint.messages().length
  await sandbox.close()
  await endpoint.close()
  return { ...response, received, lines }
}

describe('a backend of v0.2.3, that answers when its work is done', { timeout: 60_000 }, () => {
  it('after 12 s gets the message once', async ({ expect }) => {
    expect(await deliver(12_000)).toMatchObject({ status: 200, received: 1, lines: [] })
  })

  it('after 25 s gets the message once', async ({ expect }) => {
    expect(await deliver(25_000)).toMatchObject({ status: 200, received: 1, lines: [] })
  })

  it('never: gets the message once, and the log says that it may have arrived', async ({ expect }) => {
    const { status, body, received, lines } = await deliver()
    expect({ status, received }).toEqual({ status: 400, received: 1 })
    expect(body).toMatch(
      /The message msg_\w+ may have arrived, in 1 try: .* did not answer in time, within 30 s\. Let the endpoint/
    )
    expect(lines.filter((line) => line.includes('may have arrived'))).toHaveLength(1)
  })
})
