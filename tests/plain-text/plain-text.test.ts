import { describe, expect, it } from 'vitest'
import { demoMessages } from '../../sandbox/bot/demo-messages'
import { messageBody, send } from '../harness/backend'
import { endpointForTest, installationForTest } from '../harness/for-test'

const CARD = { title: 'Espresso', actions: [{ action: 'say', label: 'Order', value: 'order Espresso' }] }
const CARD_AS_TEXT = 'Espresso\n1. Order'

/** A bot that answers everything with a card. */
const withCards = async (options: Parameters<typeof installationForTest>[0] = {}) =>
  installationForTest({ plainText: true, bot: () => [{ type: 'card', payload: CARD }], ...options })

describe('with plainText', () => {
  it('each message of the bot that can be written as text is delivered so, and the others as they are', async () => {
    const endpoint = await endpointForTest()
    const sandbox = await installationForTest({ plainText: true, endpoint: endpoint.url })
    const samples = demoMessages('https://a.example')
    for (const type of Object.keys(samples)) await send(sandbox, messageBody({ text: type }))
    await sandbox.settled()
    const delivered = new Map(
      endpoint.messages().map(({ body }) => {
        const { type } = sandbox.chat.messages.get(String(body['botpressMessageId']))
        return [type, body]
      })
    )
    expect([...delivered.keys()].toSorted()).toEqual(Object.keys(samples).toSorted())
    for (const [type, { type: deliveredType, payload }] of delivered) {
      if (type === 'any') expect({ deliveredType, payload }).toEqual({ deliveredType: 'any', payload: samples[type] })
      else expect({ deliveredType, payload }).toEqual({ deliveredType: 'text', payload: { text: expect.any(String) } })
    }
    expect(delivered.get('choice')!.payload).toEqual({ text: 'Which size?\n\n1. Small\n2. Large' })
    expect(delivered.get('markdown')!.payload).toEqual({ text: 'Open from 7 to 19 o’clock' })
  })

  it('the six fields and the headers stay, and what is signed is the text', async () => {
    const endpoint = await endpointForTest()
    const signingSecret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`
    const sandbox = await withCards({ endpoint: endpoint.url, signingSecret })
    const sent = messageBody()
    const { body } = await send(sandbox, sent)
    await sandbox.settled()
    const [{ headers, body: delivered } = {}] = endpoint.messages()
    const message = sandbox.chat.messages.all().find(({ direction }) => direction === 'outgoing')!
    expect(delivered).toEqual({
      type: 'text',
      payload: { text: CARD_AS_TEXT },
      conversationId: sent['conversationId'],
      botpressUserId: message.userId,
      botpressMessageId: message.id,
      botpressConversationId: body.conversation.id,
    })
    expect(headers).toMatchObject({ 'webhook-id': message.id, 'webhook-signature': expect.stringMatching(/^v1,/) })
  })

  it('replies, messages that are read, and redeliveries have it, and nothing in Botpress changes', async () => {
    let isDown = true
    const endpoint = await endpointForTest((response) => response.writeHead(isDown ? 410 : 204).end())
    const sandbox = await withCards({ endpoint: endpoint.url })
    const sent = messageBody({ text: '**mine**' })
    const { body } = await send(sandbox, sent, { headers: { prefer: 'wait=10, replies=1' } })
    expect(body.replies).toMatchObject([{ type: 'text', payload: { text: CARD_AS_TEXT } }])
    await sandbox.settled()
    const path = `/messages?${new URLSearchParams({ conversationId: String(sent['conversationId']) })}`
    const read = await send(sandbox, undefined, { method: 'GET', path })
    expect(read.body.messages).toMatchObject([
      { direction: 'outgoing', type: 'text', payload: { text: CARD_AS_TEXT }, delivery: 'failed' },
      { direction: 'incoming', type: 'text', payload: { text: '**mine**' } },
    ])
    isDown = false
    await send(sandbox, {}, { path: '/redeliveries' })
    expect(endpoint.messages().at(-1)!.body).toMatchObject({ type: 'text', payload: { text: CARD_AS_TEXT } })
    const message = sandbox.chat.messages.get(body.replies[0].botpressMessageId)
    expect(message).toMatchObject({ type: 'card', payload: CARD })
  })

  it('is off until it is switched on', async () => {
    const endpoint = await endpointForTest()
    for (const plainText of [undefined, false]) {
      const sandbox = await withCards({ endpoint: endpoint.url, plainText })
      await send(sandbox, messageBody())
      await sandbox.settled()
      expect(endpoint.messages().at(-1)!.body).toMatchObject({ type: 'card', payload: CARD })
    }
  })
})
