import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { BotMessage } from '../../sandbox/bot/bot'
import { type Sandbox, startSandbox } from '../../sandbox/sandbox'
import { messageBody, send } from '../harness/backend'

const UNICODE = 'naïve 日本語 العربية 👩‍👩‍👧 \u0000 \u2028 " \\ \n'

/** Half a character, which ids may not have. */
const HALF = '\ud83d'

let heard: BotMessage[]
let sandbox: Sandbox

beforeAll(async () => {
  sandbox = await startSandbox({
    bot: ({ type, payload }) => {
      heard.push({ type, payload })
      return []
    },
  })
  return sandbox.close
})

beforeEach(() => {
  heard = []
})

describe('sending a message to the bot', () => {
  it('answers 200 with the Botpress message, user and conversation, keyed by the external ids', async () => {
    const body = messageBody({ text: 'Hello there' })

    const answer = await send(sandbox, body)

    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toMatch('application/json')
    expect(Object.keys(answer.body).toSorted()).toEqual(['conversation', 'message', 'user'])
    const { message, user, conversation } = answer.body
    expect(message).toEqual(sandbox.chat.messages.get(message.id))
    expect(message).toMatchObject({
      type: 'text',
      payload: { text: 'Hello there' },
      direction: 'incoming',
      userId: user.id,
      conversationId: conversation.id,
      tags: { id: body.messageId },
    })
    expect(user).toEqual(sandbox.chat.users.get(user.id))
    expect(user.tags).toEqual({ id: body.userId })
    expect(conversation).toEqual(sandbox.chat.conversations.get(conversation.id))
    expect(conversation).toMatchObject({ channel: 'channel', tags: { id: body.conversationId } })
  })

  it('finds a known user and conversation by their external ids', async () => {
    const body = messageBody()

    const first = await send(sandbox, body)
    const second = await send(sandbox, { ...body, messageId: 'another' })

    expect(second.body.user).toEqual(first.body.user)
    expect(second.body.conversation).toEqual(first.body.conversation)
    expect(second.body.message.id).not.toBe(first.body.message.id)
  })

  it.each(['', '/', '//', '///'])('takes messages at the path "%s" of the webhook', async (path) => {
    expect((await send(sandbox, messageBody(), { path })).status).toBe(200)
  })

  it.each(['application/json', 'text/plain', 'application/x-www-form-urlencoded', 'application/xml'])(
    'reads the body as JSON where the content type says %s',
    async (contentType) => {
      const answer = await send(sandbox, messageBody(), { headers: { 'content-type': contentType } })
      expect(answer.status).toBe(200)
    }
  )

  it('ignores fields that are not listed', async () => {
    const answer = await send(sandbox, messageBody({ botId: 'another', tags: { x: 'y' }, direction: 'outgoing' }))
    await sandbox.settled()
    expect(answer.status).toBe(200)
    expect(answer.body.message.direction).toBe('incoming')
    expect(heard).toEqual([{ type: 'text', payload: { text: 'Hello' } }])
  })

  it.each(['Bearer', 'bearer', 'BEARER', 'bEaReR'])('takes the scheme %s', async (scheme) => {
    const answer = await send(sandbox, messageBody(), { authorization: `${scheme} ${sandbox.token}` })
    expect(answer.status).toBe(200)
  })

  it.each([
    ['Token T', (token: string) => `Token ${token}`],
    ['Bearer: T', (token: string) => `Bearer: ${token}`],
    ['Bearer T x', (token: string) => `Bearer ${token} x`],
    ['T alone, which begins with bp_pat_', (token: string) => token],
  ])('takes what v0.2.3 took: %s', async (_how, authorizationOf) => {
    const answer = await send(sandbox, messageBody(), { authorization: authorizationOf(sandbox.token) })
    expect(answer.status).toBe(200)
  })

  it('takes ids of 500 characters and a type of 200', async () => {
    const id = 'x'.repeat(500)
    const body = messageBody({ userId: id, messageId: id, conversationId: id, type: 't'.repeat(200) })
    const answer = await send(sandbox, body)
    expect(answer.status).toBe(200)
    expect(answer.body.user.tags.id).toBe(id)
  })

  it('hands unicode on unharmed, in ids, texts and payloads', async () => {
    const answer = await send(
      sandbox,
      messageBody({
        userId: UNICODE,
        messageId: UNICODE,
        conversationId: UNICODE,
        text: UNICODE + HALF,
        payload: { [UNICODE + HALF]: UNICODE + HALF },
      })
    )
    await sandbox.settled()
    const { user, message, conversation } = answer.body
    expect([user.tags.id, message.tags.id, conversation.tags.id]).toEqual([UNICODE, UNICODE, UNICODE])
    const text = UNICODE + HALF
    expect(heard).toEqual([{ type: 'text', payload: { [text]: text, text } }])
  })
})

describe('the user field', () => {
  const ada = { name: 'Ada Lovelace', pictureUrl: 'https://example.com/ada.png' }

  it('is given to the Botpress user, and kept up to date', async () => {
    const body = messageBody()
    const first = await send(sandbox, { ...body, user: ada })
    expect(first.body.user).toMatchObject({ ...ada, tags: { id: body.userId } })
    const second = await send(sandbox, { ...body, messageId: 'second', user: { name: 'Countess' } })
    expect(second.body.user).toMatchObject({ ...ada, name: 'Countess', id: first.body.user.id })
    const picture = { pictureUrl: 'https://example.com/older.png' }
    const third = await send(sandbox, { ...body, messageId: 'third', user: picture })
    expect(third.body.user).toMatchObject({ ...picture, name: 'Countess' })
    const fourth = await send(sandbox, { ...body, messageId: 'fourth' })
    expect(fourth.body.user).toEqual(third.body.user)
    expect(sandbox.chat.users.get(first.body.user.id)).toEqual(third.body.user)
  })

  it('replaces what a user has that no instance remembers', async () => {
    const body = messageBody()
    await send(sandbox, { ...body, user: ada })
    await sandbox.endInstance()
    const answer = await send(sandbox, { ...body, messageId: 'later', user: { name: 'Countess' } })
    expect(answer.body.user).toMatchObject({ ...ada, name: 'Countess' })
  })

  it.each([
    ['a text', 'Ada'],
    ['null', null],
    ['an array', ['Ada']],
    ['a number', 5],
    ['an object with null and empty fields', { name: null, pictureUrl: '' }],
  ])('is ignored, as v0.2.3 did, where it is %s', async (_what, user) => {
    const body = messageBody()
    const first = await send(sandbox, { ...body, user: ada })
    const answer = await send(sandbox, JSON.stringify({ ...body, messageId: 'later', user }), { unchecked: true })
    expect(answer.status).toBe(200)
    expect(answer.body.user).toEqual(first.body.user)
  })

  it.each([
    [{}],
    [{ name: 'Ada' }],
    [{ pictureUrl: ada.pictureUrl }],
    [{ name: 'x'.repeat(200) }],
    [{ pictureUrl: `https://example.com/${'x'.repeat(39_980)}` }],
    [{ pictureUrl: 'data:image/png;base64,iVBORw0KGgo=' }],
    [{ ...ada, age: 36 }],
  ])('may be %j', async (user) => {
    expect((await send(sandbox, messageBody({ user }))).status).toBe(200)
  })
})

describe('a photo without a caption: text left out or empty where type is not text and the payload has a field', () => {
  it.each([
    ['left out', undefined],
    ['empty', ''],
    ['null', null],
  ])('%s, the payload goes as it is', async (_what, text) => {
    const payload = { imageUrl: 'https://example.com/coffee.png' }
    const answer = await send(sandbox, messageBody({ type: 'image', payload, text }))
    await sandbox.settled()
    expect(answer.status).toBe(200)
    expect(heard).toEqual([{ type: 'image', payload }])
  })
})

describe('a byte order mark', () => {
  it('is passed over', async () => {
    expect((await send(sandbox, `\ufeff${JSON.stringify(messageBody())}`, { unchecked: true })).status).toBe(200)
  })
})

describe('the payload that the bot gets', () => {
  it.each([
    ['a payload that is left out is { text }', 'text', undefined, { text: 'Hello' }],
    ['null counts as missing', 'text', null, { text: 'Hello' }],
    ['an empty text counts as missing', 'text', '', { text: 'Hello' }],
    ['an empty array, as PHP writes it, counts as missing', 'order', [], { text: 'Hello' }],
    ['one with no text gets it from the body', 'text', { more: [1] }, { more: [1], text: 'Hello' }],
    ['one with an empty text gets it from the body', 'text', { text: '', more: 1 }, { text: 'Hello', more: 1 }],
    ['one with a text of its own keeps it', 'text', { text: 'Own' }, { text: 'Own' }],
    ['the same for another type: left out', 'order', undefined, { text: 'Hello' }],
    ['the same for another type: no text', 'order', { id: 7 }, { id: 7, text: 'Hello' }],
    ['the same for another type: an empty text', 'order', { text: '' }, { text: 'Hello' }],
    ['the same for another type: its own text', 'order', { text: 'Own' }, { text: 'Own' }],
    ['another type may have a text of another kind', 'order', { text: { en: 'Own' } }, { text: { en: 'Own' } }],
  ])('%s', async (_rule, type, payload, expected) => {
    const answer = await send(sandbox, messageBody({ type, payload }), { unchecked: true })
    await sandbox.settled()
    expect(answer.status).toBe(200)
    expect(heard).toEqual([{ type, payload: expected }])
  })

  it('keeps keys that JavaScript has uses of its own for', async () => {
    const payload = '{"text":"Own","__proto__":{"a":1},"constructor":{"prototype":{"b":2}},"list":[{"__proto__":3}]}'
    const body = JSON.stringify(messageBody({ type: 'order', payload: 0 })).replace(
      '"payload":0',
      `"payload":${payload}`
    )
    const answer = await send(sandbox, body)
    await sandbox.settled()
    expect(answer.status).toBe(200)
    expect(JSON.stringify(heard[0]!.payload)).toBe(payload)
  })
})

describe('the same messageId', () => {
  it('in the same conversation is one message, however often it is sent', async () => {
    const body = messageBody()
    const first = await send(sandbox, body)
    const second = await send(sandbox, body)
    const third = await send(sandbox, { ...body, text: 'Changed' })
    await sandbox.settled()
    expect([first.status, second.status, third.status]).toEqual([200, 200, 200])
    expect(second.body).toEqual(first.body)
    expect(third.body.message.id).toBe(first.body.message.id)
    expect(heard).toHaveLength(1)
  })

  it('in the same conversation is one message, however concurrently it is sent', async () => {
    const body = messageBody()
    const answers = await Promise.all(Array.from({ length: 10 }, () => send(sandbox, body)))
    await sandbox.settled()
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200))
    for (const answer of answers) expect(answer.body.message).toEqual(answers[0]!.body.message)
    expect(heard).toHaveLength(1)
  })

  it('in another conversation is another message', async () => {
    const body = messageBody()
    const first = await send(sandbox, body)
    const second = await send(sandbox, { ...body, conversationId: 'elsewhere' })
    await sandbox.settled()
    expect(second.body.message.id).not.toBe(first.body.message.id)
    expect(second.body.message.conversationId).toBe(second.body.conversation.id)
    expect(second.body.user).toEqual(first.body.user)
    expect(heard).toHaveLength(2)
  })
})
