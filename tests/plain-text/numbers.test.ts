import { describe, expect, it } from 'vitest'
import type { BotMessage } from '../../sandbox/bot/bot'
import type { ApiCall } from '../../sandbox/cloud/chat/chat-api'
import { messageBody, send } from '../harness/backend'
import { installationForTest, sandboxForTest } from '../harness/for-test'

const CHOICE: BotMessage = {
  type: 'choice',
  payload: {
    text: 'Which size?',
    options: ['Small', 'Medium', 'Large'].map((label) => ({ label, value: label.toLowerCase() })),
  },
}
const CARD: BotMessage = {
  type: 'card',
  payload: {
    title: 'Espresso',
    actions: [
      { action: 'url', label: 'Read more', value: 'https://a.example' },
      { action: 'say', label: 'Order', value: 'I order' },
      { action: 'postback', label: 'Remember', value: 'remembered' },
    ],
  },
}
const text = (words: string): BotMessage => ({ type: 'text', payload: { text: words } })

/** A conversation in which the bot says what it is told to say, and nothing by itself. */
const conversationWith = async (options: Parameters<typeof installationForTest>[0] = {}) => {
  const calls: ApiCall[] = []
  const sandbox = await installationForTest({
    plainText: true,
    bot: () => [],
    onApiCall: (call) => void calls.push(call),
    ...options,
  })
  const ids = { userId: 'ada', conversationId: 'tea' }
  const { body } = await send(sandbox, messageBody({ ...ids, text: 'Hi' }))
  let count = 0
  return {
    sandbox,
    calls,
    botSays: (message: BotMessage) => sandbox.say(body.conversation.id, message),
    /** What the bot gets. */
    answer: async (given: string | object, messageId = `answer ${++count}`): Promise<unknown> => {
      const fields = typeof given === 'string' ? { text: given } : given
      const answer = await send(sandbox, messageBody({ ...ids, messageId, ...fields }))
      return sandbox.chat.messages.get(answer.body.message.id).payload
    },
  }
}

describe('a number is an answer', () => {
  it.each(['2', ' 2\n', '2.', '2)', '٢', '２', '२', '𝟐', '2️⃣', '2⃣', '02', '２）', '\u200f٢'])(
    'in the form %j',
    async (number) => {
      const { botSays, answer } = await conversationWith()
      await botSays(CHOICE)
      expect(await answer(number)).toEqual({ text: 'Medium', value: 'medium' })
    }
  )

  it('of more than one digit', async () => {
    const { botSays, answer } = await conversationWith()
    const options = Array.from({ length: 12 }, (_, index) => ({ label: `Option ${index}`, value: String(index) }))
    await botSays({ type: 'dropdown', payload: { text: 'Which?', options } })
    for (const number of ['12', '1️⃣2️⃣', '١٢']) expect(await answer(number)).toEqual({ text: 'Option 11', value: '11' })
  })

  it('of a card’s action is its value, and links have no number', async () => {
    const { botSays, answer } = await conversationWith()
    await botSays(CARD)
    expect(await answer('1')).toEqual({ text: 'I order' })
    expect(await answer('2')).toEqual({ text: 'remembered' })
    expect(await answer('3')).toEqual({ text: '3' })
  })

  it('beside the payload’s other fields, and wherever the text came from', async () => {
    const { botSays, answer } = await conversationWith()
    await botSays(CHOICE)
    expect(await answer({ text: 'three', payload: { text: '3', source: 'sms' } })).toEqual({
      text: 'Large',
      value: 'large',
      source: 'sms',
    })
    expect(await answer({ text: '3', payload: { source: 'sms' } })).toEqual({
      text: 'Large',
      value: 'large',
      source: 'sms',
    })
  })

  it.each(['0', '4', '-1', '1.5', '1 2', '2 please', '2..', '½', '二', 'Ⅱ', '99999999999999999999999'])(
    'and %j is none',
    async (words) => {
      const { botSays, answer } = await conversationWith()
      await botSays(CHOICE)
      expect(await answer(words)).toEqual({ text: words })
    }
  )

  it('only of the bot’s newest message', async () => {
    const { botSays, answer } = await conversationWith()
    expect(await answer('1')).toEqual({ text: '1' })
    await botSays(CHOICE)
    expect(await answer('hm')).toEqual({ text: 'hm' })
    expect(await answer('1')).toEqual({ text: 'Small', value: 'small' })
    await botSays(text('Anything else?'))
    expect(await answer('1')).toEqual({ text: '1' })
  })

  it('not where options have no numbers, because a label begins with a digit', async () => {
    const { botSays, answer } = await conversationWith()
    const options = [
      { label: '2 pizzas', value: 'two' },
      { label: '4 pizzas', value: 'four' },
    ]
    await botSays({ type: 'choice', payload: { text: 'How many?', options } })
    expect(await answer('2')).toEqual({ text: '2' })
  })

  it('not of other types', async () => {
    const { botSays, answer } = await conversationWith()
    await botSays(CHOICE)
    expect(await answer({ type: 'rating', text: '2' })).toEqual({ text: '2' })
  })

  it('of an instance that has seen nothing of the conversation', async () => {
    const { sandbox, botSays, answer } = await conversationWith()
    await botSays(CHOICE)
    await sandbox.endInstance()
    expect(await answer('3')).toEqual({ text: 'Large', value: 'large' })
  })

  it('costs one call, and only a number does', async () => {
    const { botSays, calls, answer } = await conversationWith()
    await botSays(CHOICE)
    await answer('hello')
    calls.length = 0
    await answer('hello again')
    expect(calls.map(({ operation }) => operation)).toEqual(['getOrCreateMessage'])
    await answer('2')
    expect(calls.map(({ operation }) => operation)).toEqual([
      'getOrCreateMessage',
      'listMessages',
      'getOrCreateMessage',
    ])
  })

  it('not without plainText, and then it costs nothing', async () => {
    const { botSays, calls, answer } = await conversationWith({ plainText: false })
    await botSays(CHOICE)
    calls.length = 0
    expect(await answer('2')).toEqual({ text: '2' })
    expect(calls.map(({ operation }) => operation)).not.toContain('listMessages')
  })
})

describe('a repeat of a number', () => {
  it.each([true, false])(
    'gives the same, whatever the bot has said since (Botpress updates matches: %s)',
    async (is) => {
      const sandbox = await sandboxForTest({ plainText: true, bot: () => [], updatesMatches: is })
      const body = messageBody({ text: 'Hi' })
      const { body: first } = await send(sandbox, body)
      await sandbox.say(first.conversation.id, CHOICE)
      const number = { ...body, messageId: 'number', text: '2' }
      const answers = [await send(sandbox, number)]
      await sandbox.say(first.conversation.id, CARD)
      answers.push(await send(sandbox, number))
      await sandbox.endInstance()
      // With the number itself, there are then 20.
      for (let count = 0; count < 18; count++) await sandbox.say(first.conversation.id, text(`${count}`))
      answers.push(await send(sandbox, number))
      expect(new Set(answers.map(({ body: { message } }) => message.id)).size).toBe(1)
      for (const {
        body: { message },
      } of answers)
        expect(message.payload).toEqual({ text: 'Medium', value: 'medium' })
    }
  )

  it('gives the same where the first one was no answer', async () => {
    const { botSays, answer } = await conversationWith()
    expect(await answer('2', 'early')).toEqual({ text: '2' })
    await botSays(CHOICE)
    expect(await answer('2', 'early')).toEqual({ text: '2' })
  })

  it('gives the same where Botpress has taken the first try, and its answer was lost', async () => {
    let isLost = true
    const { botSays, answer } = await conversationWith({
      onApiCall: ({ operation, input }) => {
        if (operation !== 'getOrCreateMessage' || !isLost || !JSON.stringify(input).includes('"lost"')) return undefined
        isLost = false
        return { reset: 'after write' }
      },
    })
    await botSays(CHOICE)
    expect(await answer('2', 'lost')).toEqual({ text: 'Medium', value: 'medium' })
    expect(isLost).toBe(false)
  })
})
