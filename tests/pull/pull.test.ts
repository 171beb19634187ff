import { describe, expect, it } from 'vitest'
import { messageBody, send } from '../harness/backend'
import { endpointForTest, installationForTest, sandboxForTest } from '../harness/for-test'
import { puller } from './puller'

describe('with pull on', () => {
  it('each message of the bot gets the mark waiting, with one call, and nothing is posted', async () => {
    const exchanged: string[] = []
    const { sandbox, calls, say } = await puller({ onExchange: ({ to }) => exchanged.push(to) })
    await say('Hello')
    const message = sandbox.chat.messages.all().find(({ direction }) => direction === 'outgoing')!
    expect(message.tags).toMatchObject({ delivery: 'waiting' })
    expect(calls.filter(({ operation }) => operation === 'updateMessage')).toHaveLength(1)
    expect(exchanged).not.toContain('endpoint')
  })

  it('the mark is retried; if it fails all the same, the log says so and the handler fails with a plain error', async () => {
    const logged: string[] = []
    const { sandbox, say, failWith } = await puller({ onLog: (line) => logged.push(line) })
    let failures = 0
    failWith(({ operation }) =>
      operation === 'updateMessage' && failures++ === 0 ? { answer: { status: 503 } } : undefined
    )
    const { body } = await say('first')
    expect(sandbox.chat.messages.all().map(({ tags }) => tags['delivery'])).toContain('waiting')
    failWith(({ operation }) => (operation === 'updateMessage' ? { answer: { status: 400 } } : undefined))
    const { status, body: answer } = await sandbox.say(body.conversation.id, { type: 'text', payload: { text: 'x' } })
    // What the SDK makes of an error that is no RuntimeError.
    expect([status, answer]).toEqual([400, expect.stringContaining('An unexpected error occurred')])
    expect(logged.join('\n')).toMatch(/could not be marked as waiting/)
  })

  it('a registration tests nothing, and wants no Response Endpoint URL', async () => {
    await expect(installationForTest({ pull: true, endpoint: 'https://a.example' })).rejects.toThrow(
      /^Both a Response Endpoint URL is set and Pull is switched on\. /
    )
    await expect(installationForTest({ endpoint: '' })).rejects.toThrow(
      /^The Response Endpoint URL is not set\. .* Or switch on Pull, /
    )
    await expect(installationForTest({ pull: true, accessKey: 'short' })).rejects.toThrow(
      /^The Access Key is malformed/
    )
    await expect(installationForTest({ pull: true, endpoint: ' ' })).resolves.toBeDefined()
  })

  it('POST /redeliveries is 409', async () => {
    const { sandbox, say } = await puller()
    await say('Hello')
    const { status, body } = await send(sandbox, {}, { path: '/redeliveries' })
    expect([status, body.detail]).toEqual([409, expect.stringContaining('Pull is switched on')])
  })
})

describe('POST {webhook URL}/pull', () => {
  it('answers 200 with the messages that wait, the six fields and createdAt, and whether others wait', async () => {
    const { sandbox, say, pull } = await puller()
    const { body: sent } = await say('Hello')
    const message = sandbox.chat.messages.all().find(({ direction }) => direction === 'outgoing')!
    expect(await pull()).toMatchObject({ status: 200 })
    expect((await pull({})).body).toEqual({
      messages: [
        {
          type: 'text',
          payload: { text: 'Hello' },
          conversationId: 'tea',
          botpressUserId: message.userId,
          botpressMessageId: message.id,
          botpressConversationId: sent.conversation.id,
          createdAt: message.createdAt,
        },
      ],
      more: false,
    })
  })

  it('gives a message until it is taken, and then no more', async () => {
    const { say, pull, textsOf, idsOf } = await puller()
    await say('one')
    await say('two')
    const first = await pull()
    expect(textsOf(first)).toEqual(['one', 'two'])
    expect(textsOf(await pull())).toEqual(['one', 'two'])
    expect(textsOf(await pull({ taken: idsOf(first).slice(0, 1) }))).toEqual(['two'])
    expect(textsOf(await pull({ taken: idsOf(first) }))).toEqual([])
    expect((await pull()).body).toEqual({ messages: [], more: false })
  })

  it('passes over what is taken already, unknown, or no id', async () => {
    const { sandbox, say, pull, textsOf } = await puller()
    const { body } = await say('one')
    const taken = [body.message.id, 'msg_unknown', 'conv_1', '', '../users', 7, null, { id: 'msg_1' }, ['msg_1']]
    const answer = await pull({ taken })
    expect([answer.status, textsOf(answer)]).toEqual([200, ['one']])
    expect(sandbox.chat.messages.get(body.message.id).payload).toEqual({ text: 'one' })
  })

  it.each([
    [{ taken: 'msg_1' }, 'taken'],
    [{ taken: Array.from({ length: 101 }, () => 'msg_1') }, 'taken'],
    [{ limit: 0 }, 'limit'],
    [{ limit: 101 }, 'limit'],
    [{ limit: 1.5 }, 'limit'],
    [{ limit: '20' }, 'limit'],
    [{ delivery: 'delivered' }, 'delivery'],
    [{ conversationId: '' }, 'conversationId'],
  ])('%j is 400', async (body, path) => {
    const { sandbox } = await puller()
    const answer = await send(sandbox, body, { path: '/pull', unchecked: true })
    expect([answer.status, answer.body.errors.map((error: { path: string }) => error.path)]).toEqual([400, [path]])
  })

  it('is 404 at once where there is no such conversation, 401 without a credential, and 405 for a GET', async () => {
    const { sandbox, pull } = await puller()
    const start = performance.now()
    expect((await pull({ conversationId: 'nowhere' }, 'wait=20')).status).toBe(404)
    expect(performance.now() - start).toBeLessThan(10_000)
    expect((await send(sandbox, {}, { path: '/pull', authorization: null })).status).toBe(401)
    expect((await send(sandbox, undefined, { path: '/pull', method: 'GET' })).status).toBe(405)
  })

  it('in each conversation the oldest first, however many wait; those of one conversation, if it is named', async () => {
    const { sandbox, say, pull, textsOf, idsOf } = await puller()
    const all = Array.from({ length: 45 }, (_, number) => [`${number % 3}`, `${number % 3}: ${number}`] as const)
    for (const [conversationId, text] of all) await say(text, conversationId)
    expect(textsOf(await pull({ limit: 2, conversationId: '1' }))).toEqual(['1: 1', '1: 4'])
    const pulled: string[] = []
    for (let taken: string[] = [], more = true; more;) {
      const answer = await pull({ taken })
      expect(answer.body.messages.length).toBeLessThanOrEqual(20)
      pulled.push(...textsOf(answer))
      taken = idsOf(answer)
      more = answer.body.more
      // Each is another instance.
      await sandbox.endInstance()
    }
    for (const id of ['0', '1', '2']) {
      const ofOne = (texts: string[]) => texts.filter((text) => text.startsWith(`${id}:`))
      expect(ofOne(pulled)).toEqual(ofOne(all.map(([, text]) => text)))
    }
    expect(pulled).toHaveLength(45)
  })

  it('if few wait, the oldest first over all conversations', async () => {
    const { say, pull, textsOf } = await puller()
    for (const [text, conversationId] of [
      ['1', 'a'],
      ['2', 'b'],
      ['3', 'a'],
      ['4', 'c'],
    ] as const)
      await say(text, conversationId)
    expect(textsOf(await pull())).toEqual(['1', '2', '3', '4'])
  })

  it('messages of a conversation that is gone lose their mark', async () => {
    const { sandbox, say, pull, textsOf } = await puller()
    const { body } = await say('gone', 'gone')
    await say('there')
    await sandbox.endInstance()
    // Its messages are listed still.
    sandbox.chat.conversations.delete(body.conversation.id)
    const answer = await pull()
    expect([textsOf(answer), answer.body.more]).toEqual([['there'], false])
    const waiting = sandbox.chat.messages.all().filter(({ tags }) => tags['delivery'])
    expect(waiting.map(({ payload }) => payload)).toEqual([{ text: 'there' }])
  })

  it('of thousands in many conversations, each comes once and in order, with instances ended in between', async () => {
    const texts = Array.from({ length: 50 }, (_, index) => `${index}`)
    const { sandbox, say, pull, textsOf, idsOf } = await puller({
      bot: () => texts.map((text) => ({ type: 'text', payload: { text } })),
    })
    const conversations = Array.from({ length: 40 }, (_, index) => `c${index}`)
    await Promise.all(conversations.map((conversationId) => say('go', conversationId)))
    const pulled = new Map<string, string[]>()
    for (let taken: string[] = [], more = true; more;) {
      const answer = await pull({ taken, limit: 100 })
      for (const [index, { conversationId }] of answer.body.messages.entries())
        pulled.set(conversationId, [...(pulled.get(conversationId) ?? []), textsOf(answer)[index]!])
      taken = idsOf(answer)
      more = answer.body.more
      if (pulled.size % 10 === 0) await sandbox.endInstance()
    }
    expect(pulled).toEqual(new Map(conversations.map((conversationId) => [conversationId, texts])))
  })

  it('a key or a token of another installation fetches and takes out nothing', async () => {
    const key = 'k'.repeat(32)
    const { sandbox, say, pull, idsOf } = await puller({ accessKey: key })
    await say('secret')
    const taken = idsOf(await pull())
    const other = await puller({ accessKey: 'o'.repeat(32) })
    for (const authorization of [`Bearer ${'o'.repeat(32)}`, 'Bearer bp_pat_of_another', `Bearer ${key.slice(1)}`]) {
      const { status, body } = await send(sandbox, { taken }, { path: '/pull', authorization })
      expect([status, body.messages]).toEqual([401, undefined])
    }
    // What waits in one bot cannot be taken out in another.
    expect((await other.pull({ taken })).body).toEqual({ messages: [], more: false })
    expect(idsOf(await pull())).toEqual(taken)
  })

  it.each([
    ['[]', /array|object/],
    ['"taken"', /object/],
    ['{"taken":[', /not JSON/],
    ['taken=msg_1', /not JSON/],
    [`{"taken":${'['.repeat(5000)}${']'.repeat(5000)}}`, undefined],
    ['{"__proto__":{"limit":1},"constructor":1}', undefined],
  ])('a body of %.30s', async (body, why) => {
    const { sandbox } = await puller()
    const answer = await send(sandbox, body, { path: '/pull', unchecked: true })
    if (why) expect([answer.status, answer.body.detail]).toEqual([400, expect.stringMatching(why)])
    else expect([answer.status, answer.body]).toEqual([200, { messages: [], more: false }])
  })

  it('a conversation that Botpress cannot read now is passed over, and waits', async () => {
    const { sandbox, say, pull, textsOf, failWith } = await puller()
    const { body } = await say('unreadable', 'unreadable')
    await say('good', 'good')
    await sandbox.endInstance()
    failWith(({ operation, input }) =>
      operation === 'getConversation' && input['id'] === body.conversation.id ? { answer: { status: 500 } } : undefined
    )
    const answer = await pull()
    expect([answer.status, textsOf(answer), answer.body.more]).toEqual([200, ['good'], true])
    failWith(() => undefined)
    expect(textsOf(await pull())).toEqual(['unreadable', 'good'])
  })

  it('takes a hundred at once', async () => {
    const { sandbox, say, pull, idsOf } = await puller({
      bot: () => Array.from({ length: 100 }, (_, index) => ({ type: 'text', payload: { text: `${index}` } })),
    })
    await say('many')
    const answer = await pull({ limit: 100 })
    expect(answer.body).toMatchObject({ messages: { length: 100 }, more: false })
    expect((await pull({ taken: idsOf(answer) })).body).toEqual({ messages: [], more: false })
    expect(sandbox.chat.messages.all().filter(({ tags }) => tags['delivery'])).toEqual([])
  })

  it('failed or unknown pulls what an endpoint has missed, with pull on or off', async () => {
    const endpoint = await endpointForTest((response) => response.writeHead(410).end())
    const { say, pull, textsOf, idsOf } = await puller({ pull: false, endpoint: endpoint.url })
    await say('missed')
    expect(textsOf(await pull())).toEqual([])
    const answer = await pull({ delivery: 'failed' })
    expect(textsOf(answer)).toEqual(['missed'])
    expect(textsOf(await pull({ delivery: 'failed', taken: idsOf(answer) }))).toEqual([])
  })

  it('what waits is never posted unasked, but on request', async () => {
    const endpoint = await endpointForTest()
    const { sandbox, say } = await puller()
    await say('early')
    sandbox.configure({ endpoint: endpoint.url })
    await say('late')
    expect(endpoint.messages().map(({ body }) => body['payload'])).toEqual([{ text: 'late' }])
    const { body } = await send(sandbox, { delivery: 'waiting' }, { path: '/redeliveries' })
    expect(body).toMatchObject({ delivered: 1, more: false })
    expect(endpoint.messages().at(-1)!.body['payload']).toEqual({ text: 'early' })
  })

  it('has texts alone with plainText', async () => {
    const choice = { type: 'choice', payload: { text: 'Which?', options: [{ label: 'A', value: 'a' }] } }
    const { say, pull, textsOf } = await puller({ plainText: true, bot: () => choice })
    await say('Hi')
    expect(textsOf(await pull())).toEqual(['Which?\n\n1. A'])
  })
})

describe('POST {webhook URL}/pull with Prefer: wait', () => {
  it('answers as soon as there is one, and says what was applied', async () => {
    const { say, pull, textsOf } = await puller()
    const waiting = pull({}, 'wait=25')
    await new Promise((resolve) => setTimeout(resolve, 1000))
    await say('late')
    const answer = await waiting
    expect(textsOf(answer)).toEqual(['late'])
    expect(answer.headers.get('preference-applied')).toBe('wait=25')
  })

  it('answers with none when the time is over, and leaves nothing running', async () => {
    const { pull, calls } = await puller()
    const start = performance.now()
    expect((await pull({}, 'wait=2')).body).toEqual({ messages: [], more: false })
    expect(performance.now() - start).toBeGreaterThan(1900)
    const looks = calls.length
    expect(looks).toBeLessThan(12)
    await new Promise((resolve) => setTimeout(resolve, 1500))
    // An instance stands still between two calls. This one thaws it, and asks Botpress nothing.
    expect((await pull({ limit: 0 }, 'wait=0')).status).toBe(400)
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(calls).toHaveLength(looks)
  })

  it('goes on looking after failures that may pass, as late as Botpress asks', async () => {
    const { say, pull, textsOf, failWith, calls } = await puller()
    let looks = 0
    const at: number[] = []
    failWith(({ operation }) => {
      if (operation !== 'listMessages') return undefined
      at.push(performance.now())
      return ++looks === 2 ? { answer: { status: 429, headers: { 'retry-after': '2' } } } : undefined
    })
    const waiting = pull({}, 'wait=20')
    await expect.poll(() => looks).toBeGreaterThan(2)
    expect(at[2]! - at[1]!).toBeGreaterThan(1900)
    await say('late')
    expect(textsOf(await waiting)).toEqual(['late'])
    expect(calls.length).toBeGreaterThan(3)
  })

  it('of two at once, each gets what waits', async () => {
    const { say, pull, textsOf } = await puller()
    const both = [pull({}, 'wait=20'), pull({}, 'wait=20')]
    await say('Hello')
    for (const answer of await Promise.all(both)) expect(textsOf(answer)).toEqual(['Hello'])
  })

  it('loses nothing where the instance is ended in its wait', async () => {
    const sandbox = await sandboxForTest({ pull: true, maxInstances: 2, bot: ({ payload }) => String(payload.text) })
    const broken = send(sandbox, {}, { path: '/pull', headers: { prefer: 'wait=25' }, mayBreakOff: true })
    await expect.poll(() => sandbox.instances.some(({ isBusy }) => isBusy)).toBe(true)
    await sandbox.endInstance()
    expect((await broken).status).toBe(500)
    await send(sandbox, messageBody({ text: 'Hello' }))
    await sandbox.settled()
    sandbox.elapse(60 * 60_000)
    const { body } = await send(sandbox, {}, { path: '/pull' })
    expect(body.messages).toMatchObject([{ payload: { text: 'Hello' } }])
  })
})
