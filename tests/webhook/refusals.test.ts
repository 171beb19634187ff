import { inspect } from 'node:util'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Sandbox, startSandbox } from '../../sandbox/sandbox'
import { type Answer, messageBody, send } from '../harness/backend'
import { watchApiCalls } from '../harness/api-calls'

const api = watchApiCalls()
const logged: string[] = []
let sandbox: Sandbox

beforeAll(async () => {
  sandbox = await startSandbox({
    foreignTokens: ['bp_pat_foreign'],
    onLog: (line) => logged.push(line),
    onApiCall: api.onApiCall,
  })
  return sandbox.close
})

const expectProblem = ({ status, headers, body }: Answer, expected: number, detail: RegExp | string) => {
  expect(status).toBe(expected)
  expect(headers.get('content-type')).toMatch('application/problem+json')
  expect(body).toMatchObject({
    status: expected,
    title: expect.stringMatching(/./),
    detail: expect.stringMatching(detail),
  })
}

describe('400: a request with a fault', () => {
  it.each([
    ['no body', undefined, 'no body'],
    ['an empty body', '', 'no body'],
    ['a body of white space', '\ufeff \n', 'no body'],
    ['null', 'null', 'not an object'],
    ['an array', '[]', 'not an object'],
    ['an array with two objects', '[{},{}]', 'not an object'],
    ['an array with one object', '[{"a":1}]', 'it is an array with one object, send the object itself'],
    ['a string', '"text"', 'not an object'],
    ['JSON in a string', JSON.stringify('{"a":1}'), 'it was encoded twice, send the object itself'],
    ['a string that begins like JSON', '"{a"', 'line 1, column 2'],
  ])('%s', async (_fault, body, detail) => {
    expectProblem(await send(sandbox, body), 400, detail)
    expect(api.calls).toEqual([])
  })

  const json = { 'content-type': 'application/json' }
  const utf16 = (text: string) => Buffer.from(text, 'utf16le')
  it.each<[string, string | Buffer, Record<string, string>, string]>([
    ['that ends', '{"userId":', json, 'line 1, column 11: value expected, and the body ends'],
    ['that ends in a string', '{"userId":"u', json, 'line 1, column 11: a string does not end'],
    ['that does not close', '{"userId":"u"', json, 'line 1, column 14: close brace expected, and the body ends'],
    [
      'with a comma too many',
      '{"userId":"u",}',
      json,
      'column 15: the name of a field, in double quotes, is expected, and "}" found',
    ],
    ['with a comma too few', '{"a":1\n "b":2}', json, 'line 2, column 2: comma expected'],
    [
      'with single quotes',
      "{'userId':'u'}",
      json,
      `column 2: this is no JSON (names and texts are in double quotes), and "'userId'" found`,
    ],
    [
      'with a name without quotes',
      '{userId:"u"}',
      json,
      'column 2: this is no JSON (names and texts are in double quotes), and "userId" found',
    ],
    [
      'with a line break in a string',
      '{"text":"one\ntwo"}',
      json,
      'column 9: a string does not end (a line break in it is written \\n)',
    ],
    ['with a tab in a string', '{"text":"one\ttwo"}', json, 'a string has a control character in it'],
    [
      'with an escape that is none',
      '{"text":"\\q"}',
      json,
      'a string has a backslash before a character that takes none',
    ],
    ['with a comment', '{"a":1} // done', json, 'JSON has no comments'],
    ['with more after it', '{"a":1}{"b":2}', json, 'column 8: end of file expected'],
    ['from Python', '{"a": None}', json, 'and "None" found'],
    ['of many levels', '['.repeat(200_000), json, 'it is malformed'],
    [
      'with a name without quotes, as curl sends it',
      '{userId:"u"}',
      { 'content-type': 'application/x-www-form-urlencoded' },
      'column 2',
    ],
    ['that is a form', 'userId=1&text=2', json, 'it is a form, which its Content-Type does not say'],
    [
      'that is a multipart form',
      '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--',
      json,
      'it is a multipart form',
    ],
    ['that is compressed', gzipSync('{}'), json, 'it is compressed'],
    [
      'that is compressed, and says so',
      brotliCompressSync('{}'),
      { 'content-encoding': 'br' },
      'it is compressed (br)',
    ],
    ['that says it is compressed, and is not', '{"a":1,}', { 'content-encoding': 'gzip' }, 'line 1, column 8'],
    ['in UTF-16', utf16('{"a":1}'), json, 'it is in UTF-16'],
    [
      'in UTF-16, sent as a form',
      utf16('{"a":1}'),
      { 'content-type': 'application/x-www-form-urlencoded' },
      'it is in UTF-16',
    ],
    ['in UTF-16, with its mark', utf16('\ufeff{"a":1}'), json, 'it is in UTF-16'],
    ['that is XML', '<message/>', json, 'it is XML or HTML'],
    ['of bytes', Buffer.from([0xfe, 0x80, 0x01]), json, 'it is binary, or in another encoding than UTF-8'],
  ])('a body that is not JSON %s is told why', async (_what, body, headers, reason) => {
    const answer = await send(sandbox, body, { headers, unchecked: true })
    expect(answer.status).toBe(400)
    expect(answer.body.detail).toMatch(/^The body is not JSON: .*\. Send a JSON object\.$/)
    expect(answer.body.detail).toContain(reason)
    expect(api.calls).toEqual([])
  })

  it('a large body with millions of faults takes no more memory than one with one', async () => {
    const before = await sandbox.heapUsed()
    const answer = await send(sandbox, `[${','.repeat(5_000_000)}`, { unchecked: true })
    expect(answer.body.detail).toContain('line 1, column 2: value expected')
    expect(await sandbox.heapUsed()).toBeLessThan(before + 20_000_000)
    const lines = await send(sandbox, `{"a":1,${'\n'.repeat(1_000_000)}`, { unchecked: true })
    expect(lines.body.detail).toContain('line 1000001, column 1')
  })

  it('a body in Latin-1, where it says so, rather than what it is made of being stored', async () => {
    const latin1 = Buffer.from(JSON.stringify(messageBody({ text: 'naïve' })), 'latin1')
    const headers = { 'content-type': 'text/plain; charset=ISO-8859-1' }
    const answer = await send(sandbox, latin1, { headers, unchecked: true })
    expectProblem(answer, 400, 'in ISO-8859-1, as its Content-Type says. Send it in UTF-8')
    expect(api.calls).toEqual([])
    // It says so, and is not.
    expect((await send(sandbox, messageBody({ text: 'naïve' }), { headers })).status).toBe(200)
  })

  const limits = { userId: 500, messageId: 500, conversationId: 500, type: 200, text: Infinity }
  const faults = Object.entries(limits).flatMap(([field, limit]): [string, string, unknown][] => {
    const tooLong = limit === Infinity ? [] : ['x'.repeat(limit + 1)]
    return [undefined, null, '', 5, ['x'], ...tooLong].map((value) => [field, inspect(value).slice(0, 20), value])
  })
  it.each(faults)('the field %s: %s', async (field, _fault, value) => {
    const answer = await send(sandbox, messageBody({ [field]: value }))
    expectProblem(answer, 400, field)
    expect(answer.body.errors).toEqual([{ path: field, message: expect.stringMatching(/must be|is required/) }])
    expect(api.calls).toEqual([])
  })

  it.each([
    ['text', ''],
    [5, ''],
    [[1], ''],
    [true, ''],
    ['{"a":1}', ': it was encoded twice, send the object itself'],
    ['{"a":1', ': it is not JSON: line 1, column 7: close brace expected, and the body ends'],
    [[{ a: 1 }], ': it is an array with one object, send the object itself'],
  ])('a payload that is no object: %j', async (payload, mistake) => {
    const answer = await send(sandbox, messageBody({ payload }))
    expectProblem(answer, 400, 'payload')
    expect(answer.body.errors).toEqual([{ path: 'payload', message: `must be an object${mistake}` }])
    expect(api.calls).toEqual([])
  })

  const ids = ['userId', 'messageId', 'conversationId']
  it.each(ids)('%s that is not well-formed Unicode, since different ids would become one', async (field) => {
    for (const id of ['a \ud83d', '\ude00', 'a \ufffd']) {
      const answer = await send(sandbox, messageBody({ [field]: id }))
      expect(answer.status).toBe(400)
      const message = 'must be well-formed Unicode, without U+FFFD: send UTF-8'
      expect(answer.body.errors).toEqual([{ path: field, message }])
    }
    // As Latin-1, without saying so.
    const latin1 = Buffer.from(JSON.stringify(messageBody({ [field]: 'Zoë' })), 'latin1')
    const answer = await send(sandbox, latin1, { unchecked: true })
    expect(answer.body.errors.map(({ path }: { path: string }) => path)).toEqual([field])
    expect(api.calls).toEqual([])
    expect((await send(sandbox, messageBody({ [field]: 'Zoë 😀' }))).status).toBe(200)
  })

  it('a payload.text that is no string, where type is text', async () => {
    const answer = await send(sandbox, messageBody({ payload: { text: 5 } }))
    expectProblem(answer, 400, 'payload.text')
    expect(answer.body.errors.map(({ path }: { path: string }) => path)).toEqual(['payload.text'])
    expect(api.calls).toEqual([])
  })

  it.each([
    ['user.name', { name: 5 }],
    ['user.name', { name: 'x'.repeat(201) }],
    ['user.pictureUrl', { pictureUrl: 'picture.png' }],
    ['user.pictureUrl', { pictureUrl: 'https://example.com/a picture.png' }],
    ['user.pictureUrl', { pictureUrl: 'https://example.com/é.png' }],
    ['user.pictureUrl', { pictureUrl: 'https://example.com/#a#b' }],
    ['user.pictureUrl', { pictureUrl: 'https://example.com/%zz' }],
    ['user.pictureUrl', { pictureUrl: `https://example.com/${'x'.repeat(40_000)}` }],
    ['user.pictureUrl', { pictureUrl: `data:image/png;base64,${'x'.repeat(12_000_000)}` }],
  ])('a fault in %s (%#)', async (path, user) => {
    const answer = await send(sandbox, messageBody({ user }))
    expectProblem(answer, 400, path)
    expect(answer.body.errors.map((error: { path: string }) => error.path)).toEqual([path])
    expect(api.calls).toEqual([])
  })

  it('every fault listed at once', async () => {
    const answer = await send(sandbox, { userId: '', messageId: 'x'.repeat(501), type: 'text', payload: { text: [] } })
    expectProblem(answer, 400, 'userId, messageId, conversationId, text, payload.text')
    expect(answer.body.errors.map(({ path }: { path: string }) => path)).toEqual([
      'userId',
      'messageId',
      'conversationId',
      'text',
      'payload.text',
    ])
    const user = { name: 5, pictureUrl: 'picture.png' }
    const another = await send(sandbox, { ...messageBody({ text: undefined }), payload: 'x', user })
    expect(another.body.errors.map(({ path }: { path: string }) => path)).toEqual([
      'payload',
      'user.name',
      'user.pictureUrl',
      'text',
    ])
  })

  it('Botpress refused the data: its own reason in detail', async () => {
    const answer = { status: 400, body: { id: 'err_1', code: 400, type: 'InvalidPayload', message: 'The tag is bad' } }
    api.faultOf = ({ operation }) => (operation === 'getOrCreateMessage' ? { answer } : undefined)
    expectProblem(await send(sandbox, messageBody()), 400, 'The tag is bad')
  })
})

describe('401: no right to come in', () => {
  const V023 = 'v0.2.3 served such requests with the integration’s own token; now a key is needed'
  const authorizations = [
    ['no credential', null, `There is no credential. ${V023}`],
    ['an empty header', '', V023],
    ['Bearer alone', 'Bearer', V023],
    ['Bearer and spaces', 'Bearer   ', V023],
    ['a scheme that sticks to its token', 'Bearerbp_pat_sandbox', V023],
    ['Basic, which is meant for a gateway', 'Basic Ym90OnBhdA==', 'meant for a gateway (Basic)'],
    ['Digest, which is meant for a gateway', 'digest bp_pat_sandbox', 'meant for a gateway (digest)'],
    ['Negotiate, which is meant for a gateway', 'Negotiate: bp_pat_sandbox', 'meant for a gateway (Negotiate:)'],
    ['a gateway’s behind an empty Bearer', 'Bearer,Basic Ym90OnBhdA==', 'meant for a gateway (Bearer,Basic)'],
    ['two headers in one', 'Bearer bp_pat_sandbox, Bearer bp_pat_sandbox', 'well-formed token'],
    ['characters that no token has', 'Bearer bp_pat_"sandbox"', 'well-formed token'],
  ] as const

  it.each(authorizations)('%s: Botpress is not even asked', async (_what, authorization, reason) => {
    const answer = await send(sandbox, messageBody(), { authorization })
    expect(answer.status).toBe(401)
    expect(answer.body.detail).toContain(reason)
    expect(answer.body.detail).toMatch(/Send the Access Key .* or a Botpress Personal Access Token/)
    expect(answer.headers.get('www-authenticate')).toBe('Bearer')
    expect(api.calls).toEqual([])
  })

  it('an x-bp-secret that is not an access key, with or without a gateway’s Authorization', async () => {
    for (const authorization of [null, 'Basic Ym90OnBhdA==']) {
      const answer = await send(sandbox, messageBody(), { authorization, headers: { 'x-bp-secret': sandbox.token } })
      expectProblem(answer, 401, 'The x-bp-secret is not an access key')
    }
    expect(api.calls).toEqual([])
  })

  it('an unknown token', async () => {
    const body = messageBody()
    const answer = await send(sandbox, body, { authorization: 'Bearer bp_pat_unknown' })
    expectProblem(answer, 401, 'does not know the token')
    expect(answer.headers.get('www-authenticate')).toBe('Bearer')
    expect(sandbox.chat.conversations.findByTags({ id: String(body.conversationId) })).toBeUndefined()
    expect(sandbox.chat.users.findByTags({ id: String(body.userId) })).toBeUndefined()
  })

  it('comes before a fault in the body', async () => {
    expectProblem(await send(sandbox, '{', { authorization: null }), 401, 'There is no credential')
  })

  it('each call to Botpress carries the caller’s token, never the integration’s own', async () => {
    await send(sandbox, messageBody())
    await send(sandbox, messageBody(), { authorization: 'Bearer bp_pat_unknown' })
    for (const [, authorization] of authorizations) await send(sandbox, messageBody(), { authorization })
    const used = new Set(api.calls.map(({ headers }) => headers.authorization))
    expect(used).toEqual(new Set([`Bearer ${sandbox.token}`, 'Bearer bp_pat_unknown']))
    expect(used).not.toContain(`Bearer ${sandbox.integrationToken}`)
  })
})

describe('passed on from Botpress', () => {
  it('403: a token of another workspace', async () => {
    const body = messageBody()
    expectProblem(await send(sandbox, body, { authorization: 'Bearer bp_pat_foreign' }), 403, 'no right')
    expect(sandbox.chat.conversations.findByTags({ id: String(body.conversationId) })).toBeUndefined()
  })

  it.each([
    [402, 'PaymentRequired'],
    [403, 'QuotaExceeded'],
    [413, 'PayloadTooLarge'],
    [413, 'LimitExceeded'],
  ])('%i %s', async (status, type) => {
    const body = { id: 'err_1', code: status, type, message: 'The reason' }
    api.faultOf = ({ operation }) => (operation === 'getOrCreateMessage' ? { answer: { status, body } } : undefined)
    const answer = await send(sandbox, messageBody())
    expectProblem(answer, status, 'The reason')
    expect(answer.headers.get('retry-after')).toBeNull()
  })
})

describe('404 and 405', () => {
  it.each(['/else', '/messages/1', '/messagesx', '/constructor', '/__proto__', '//else//'])(
    '404 for another path: %s',
    async (path) => {
      expectProblem(await send(sandbox, messageBody(), { path }), 404, path)
      expect(api.calls).toEqual([])
    }
  )

  it.each(['GET', 'PUT', 'PATCH', 'DELETE'])('405 for another method on a known path: %s', async (method) => {
    const answer = await send(sandbox, method === 'GET' ? undefined : messageBody(), { method })
    expectProblem(answer, 405, method)
    expect(answer.headers.get('allow')).toBe('POST')
    expect(api.calls).toEqual([])
  })
})

describe('413: a body of over 100 MB', () => {
  it('is refused without being sent', async () => {
    // Beyond what the cloud hands on: for one that grows on its way.
    const body = JSON.stringify(messageBody({ text: 'x'.repeat(101 * 1024 * 1024) }))
    const headers = { authorization: `Bearer ${sandbox.token}` }
    const response = await sandbox.receive({ method: 'POST', path: '', query: '', headers, body })
    expect(response.status).toBe(413)
    expect(api.calls.map(({ operation }) => operation)).not.toContain('getOrCreateMessage')
  })
})

it('the method may be in lower case', async () => {
  const headers = { authorization: `Bearer ${sandbox.token}` }
  const body = JSON.stringify(messageBody())
  expect((await sandbox.receive({ method: 'post', path: '', query: '', headers, body })).status).toBe(200)
})

/** Asks for more patience than the integration has, so that it gives up at once. */
const NOT_SOON = { 'retry-after': '60' }

describe('no token appears in a log or an answer', () => {
  it('whatever Botpress answers', async () => {
    const answers: string[] = []
    const statuses = [400, 401, 402, 403, 404, 409, 413, 429, 500, 502, 503, 504]
    for (const status of statuses) {
      const body = { id: 'err_1', code: status, type: 'Unknown', message: `Bearer ${sandbox.token} is bad` }
      for (const content of [body, `Bearer ${sandbox.token}`]) {
        api.faultOf = () => ({ answer: { status, headers: NOT_SOON, body: content } })
        answers.push((await send(sandbox, messageBody())).text)
      }
    }
    api.faultOf = () => undefined
    answers.push((await send(sandbox, messageBody())).text)
    answers.push((await send(sandbox, messageBody(), { authorization: `Basic ${sandbox.token}` })).text)
    answers.push((await send(sandbox, messageBody(), { path: '/else' })).text)
    await sandbox.settled()
    expect(answers).toHaveLength(2 * statuses.length + 3)
    for (const text of [...answers, ...logged]) {
      expect(text).not.toContain(sandbox.token)
      expect(text).not.toContain(sandbox.integrationToken)
    }
  })
})
