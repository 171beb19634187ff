import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { BotMessage } from '../../sandbox/bot/bot'
import { type Sandbox, startSandbox } from '../../sandbox/sandbox'
import { messageBody, send } from '../harness/backend'

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

const FORM = 'application/x-www-form-urlencoded'

const post = (body: string, { contentType = FORM, path = '' } = {}) =>
  send(sandbox, body, { headers: { 'content-type': contentType }, path, unchecked: true })

/** A complete form; `fields` go over it. */
const form = (fields: Record<string, string> = {}) =>
  new URLSearchParams(messageBody(fields) as Record<string, string>).toString()

describe('a message sent as a form', () => {
  it('has what breaks the JSON of templates: line breaks, quotes, backslashes, any Unicode', async () => {
    const text = 'one\ntwo\r\n"three" \\ & = + % ë 👩‍👩‍👧'
    const answer = await post(form({ text, userId: 'Zoë +1' }))
    await sandbox.settled()
    expect(answer.status).toBe(200)
    expect(answer.body.user.tags.id).toBe('Zoë +1')
    expect(heard).toEqual([{ type: 'text', payload: { text } }])
  })

  it.each([
    ['text=你好%20100%', '你好 100%'],
    ['text=mañana 50%de', 'mañana 50\ufffd'],
    ['text=ñ%20😀', 'ñ 😀'],
    ['text=a%2Bb+c%', 'a+b c%'],
  ])('may be encoded in part, as templates are: %s', async (part, text) => {
    const { text: _text, ...rest } = messageBody() as Record<string, string>
    expect((await post(`${new URLSearchParams(rest)}&${part}`)).status).toBe(200)
    await sandbox.settled()
    expect(heard).toEqual([{ type: 'text', payload: { text } }])
  })

  it('has its payload and its user as JSON', async () => {
    const user = { name: 'Ada', pictureUrl: 'https://example.com/ada.png' }
    const payload = { id: 7, list: ['a'], ['__proto__']: 1 }
    const answer = await post(form({ type: 'order', payload: JSON.stringify(payload), user: JSON.stringify(user) }))
    await sandbox.settled()
    expect(answer.status).toBe(200)
    expect(answer.body.user).toMatchObject(user)
    expect(heard).toEqual([{ type: 'order', payload: { ...payload, text: 'Hello' } }])
  })

  it.each(['', 'null', '""', '[]'])('may leave its payload and user empty: %j', async (empty) => {
    expect((await post(form({ payload: empty, user: empty, unknown: 'x' }))).status).toBe(200)
    await sandbox.settled()
    expect(heard).toEqual([{ type: 'text', payload: { text: 'Hello' } }])
  })

  it('keeps its user out of the way of the message: one that is not JSON is ignored', async () => {
    expect((await post(form({ user: '{"name":"Grace "Amazing" Hopper"}' }))).status).toBe(200)
  })

  it.each([
    ['whatever the case and the parameters of its type', form(), 'Application/X-WWW-Form-URLEncoded; charset=UTF-8'],
    ['with a byte order mark', `\ufeff${form()}`, FORM],
    ['with extra & and an unknown field twice', `&${form()}&x=1&&x=2&`, FORM],
  ])('is read %s', async (_what, body, contentType) => {
    expect((await post(body, { contentType })).status).toBe(200)
  })

  it.each([
    ['JSON, as curl -d sends it', (json: string) => json],
    ['after white space', (json: string) => ` \n${json}`],
    ['after a byte order mark', (json: string) => `\ufeff${json}`],
  ])('is JSON all the same if it begins with {: %s', async (_what, bodyOf) => {
    expect((await post(bodyOf(JSON.stringify(messageBody())))).status).toBe(200)
  })
})

describe('a form with a fault', () => {
  const AS_A_FORM = 'The body was read as a form, as its Content-Type says. Wrong in it: '

  it('is told that it was read as a form, and of every fault at once', async () => {
    const answer = await post('userId=&type=text&payload={"a":1,}&messageId=1&messageId=2')
    expect(answer.status).toBe(400)
    expect(answer.body.detail).toBe(`${AS_A_FORM}messageId, userId, conversationId, payload, text.`)
    expect(answer.body.errors).toContainEqual({
      path: 'payload',
      message: expect.stringContaining('must be an object: it is not JSON: line 1, column 8'),
    })
  })

  it.each([
    ['a payload that is another JSON', form({ payload: '5' }), 'payload', 'must be an object'],
    ['a payload that was encoded twice', form({ payload: '"{}"' }), 'payload', 'must be an object: it was encoded'],
    ['a payload that is an array with an object', form({ payload: '[{}]' }), 'payload', 'must be an object: it is an'],
    ['a field given twice', `${form()}&text=again`, 'text', 'must be given once'],
    ['an id in Latin-1', form().replace(/userId=[^&]*/, 'userId=Zo%EB'), 'userId', 'send UTF-8'],
    ['a name that is too long', form({ user: `{"name":"${'x'.repeat(201)}"}` }), 'user.name', 'at most 200'],
  ])('%s', async (_fault, body, path, message) => {
    const answer = await post(body)
    expect(answer.status).toBe(400)
    expect(answer.body.detail).toBe(`${AS_A_FORM}${path}.`)
    expect(answer.body.errors).toEqual([{ path, message: expect.stringContaining(message) }])
    expect(heard).toEqual([])
  })

  it.each([
    ['an empty one', '', 'The request has no body'],
    ['broken JSON', '{"userId":"u",}', 'The body is not JSON: line 1, column 15'],
    ['white space', ' \n', 'The request has no body'],
  ])('%s is named', async (_what, body, detail) => {
    const answer = await post(body)
    expect(answer.status).toBe(400)
    expect(answer.body.detail).toContain(detail)
  })

  it('without a text is told of its payload alone, if that is broken', async () => {
    const answer = await post(form({ type: 'image', text: '', payload: '{"imageUrl":"' }))
    expect(answer.body.errors.map(({ path }: { path: string }) => path)).toEqual(['payload'])
  })

  it('in another charset, where it says so, is refused', async () => {
    const answer = await post(form().replace(/text=[^&]*/, 'text=na%EFve'), {
      contentType: `${FORM}; charset=ISO-8859-1`,
    })
    expect(answer.status).toBe(400)
    expect(answer.body.detail).toBe('The body is in ISO-8859-1, as its Content-Type says. Send it in UTF-8.')
  })

  it('is not taken at other paths', async () => {
    const answer = await post('delivery=failed', { path: '/redeliveries' })
    expect(answer.status).toBe(400)
    expect(answer.body.detail).toBe('The body is not JSON: it is a form. Send a JSON object.')
  })
})
