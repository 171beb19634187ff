import { randomBytes } from 'node:crypto'
import http from 'node:http'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Sandbox, startSandbox } from '../../sandbox/sandbox'
import { messageBody, send } from '../harness/backend'
import { endpointForTest, installationForTest, sandboxForTest } from '../harness/for-test'
import { watchApiCalls } from '../harness/api-calls'

const newKey = () => randomBytes(32).toString('hex')

const KEY = `Key-${newKey()}`

let sandbox: Sandbox
const api = watchApiCalls()
const logged: string[] = []

beforeAll(async () => {
  sandbox = await startSandbox({
    accessKey: KEY,
    onLog: (line) => logged.push(line),
    onApiCall: api.onApiCall,
  })
  return sandbox.close
})

const tokens = () => new Set(api.calls.map(({ headers }) => headers.authorization))

const ownToken = () => `Bearer ${sandbox.integrationToken}`

/** Nothing was asked of Botpress as the integration. */
const expectShut = (status: number) => {
  expect(status).toBe(401)
  expect(tokens()).not.toContain(ownToken())
}

describe('the access key', () => {
  it.each([
    ['Authorization: Bearer', { authorization: `Bearer ${KEY}` }],
    ['Authorization: bearer, in another case', { authorization: `bEARER ${KEY}` }],
    ['x-bp-secret', { authorization: null, headers: { 'x-bp-secret': KEY } }],
    ['both, which are the same', { authorization: `Bearer ${KEY}`, headers: { 'x-bp-secret': KEY } }],
    ['a single word', { authorization: KEY }],
    ['pasted with its scheme into a field that adds one', { authorization: `Bearer Bearer ${KEY}` }],
    ['after any scheme, with more behind it', { authorization: `Token ${KEY} x` }],
    ['x-bp-secret beside a gateway’s Authorization', { authorization: 'Basic eA==', headers: { 'x-bp-secret': KEY } }],
    ['x-bp-secret beside a token', { authorization: 'Bearer bp_pat_sandbox', headers: { 'x-bp-secret': KEY } }],
    ['Authorization beside another x-bp-secret', { authorization: `Bearer ${KEY}`, headers: { 'x-bp-secret': 'x' } }],
    ['behind a gateway’s Authorization', { authorization: `Basic eA==, Bearer ${KEY}` }],
    ['before a gateway’s Authorization', { authorization: `Bearer ${KEY}, Basic eA==` }],
  ])('lets a backend in, served with the integration’s own client: %s', async (_what, how) => {
    const answer = await send(sandbox, messageBody(), how)
    await sandbox.settled()
    expect(answer.status).toBe(200)
    expect(api.operations()).toContain('getOrCreateMessage')
    expect(tokens()).toEqual(new Set([ownToken()]))
  })

  it('serves every path: sending, waiting, reading', async () => {
    const body = messageBody({ text: 'Hi' })
    const how = { authorization: `Bearer ${KEY}` }
    const sent = await send(sandbox, body, { ...how, headers: { prefer: 'wait=20, replies=1' } })
    expect(sent.body.replies[0].payload).toEqual({ text: 'You said: Hi' })
    const path = `/messages?${new URLSearchParams({ conversationId: String(body.conversationId) })}`
    const read = await send(sandbox, undefined, { ...how, method: 'GET', path })
    expect(read.body.messages).toHaveLength(2)
    expect(tokens()).toEqual(new Set([ownToken()]))
  })

  it('a later message costs one call, over a connection that is kept', async () => {
    const quiet = await installationForTest({ accessKey: KEY, bot: () => [], onApiCall: api.onApiCall })
    const body = messageBody()
    for (let count = 0; count < 20; count++) {
      await send(quiet, { ...body, messageId: `${count}` }, { authorization: `Bearer ${KEY}` })
    }
    expect(api.calls).toHaveLength(22)
    expect(new Set(api.calls.map(({ connection }) => connection)).size).toBeLessThanOrEqual(2)
  })

  it('is compared before anything is asked of Botpress, and never sent to Botpress or the endpoint', async () => {
    const endpoint = await endpointForTest()
    const own = await installationForTest({
      accessKey: KEY,
      endpoint: endpoint.url,
      onApiCall: api.onApiCall,
    })
    await send(own, messageBody(), { authorization: `Bearer ${KEY}`, headers: { 'x-bp-secret': KEY } })
    await own.settled()
    expect(JSON.stringify([api.calls, endpoint.messages(), endpoint.tests()])).not.toContain(KEY)
  })

  it('may be of any visible ASCII characters, 32 to 200 of them', async () => {
    const odd = `!"#$%&'()*+,-./:;<=>?@[\\]^_\`{|}~`
    for (const key of [odd, 'k'.repeat(200), 'k'.repeat(32)]) {
      const own = await installationForTest({ accessKey: key, bot: () => [] })
      expect((await send(own, messageBody(), { authorization: `Bearer ${key}` })).status).toBe(200)
      expect((await send(own, messageBody(), { authorization: null, headers: { 'x-bp-secret': key } })).status).toBe(
        200
      )
    }
  })

  it('Personal Access Tokens go on working beside it, with their own client', async () => {
    expect((await send(sandbox, messageBody())).status).toBe(200)
    await sandbox.settled()
    expect(tokens()).toEqual(new Set([`Bearer ${sandbox.token}`]))
  })

  it('that Botpress refuses the integration’s own token for is no fault of the caller’s', async () => {
    api.faultOf = () => ({ answer: { status: 401 } })
    const answer = await send(sandbox, messageBody(), { authorization: `Bearer ${KEY}` })
    expect(answer.status).toBe(502)
    expect(answer.body.detail).toContain('the integration’s own token')
  })

  it('appears in no log and no answer', async () => {
    const texts: string[] = []
    for (const status of [400, 401, 403, 404, 429, 500, 503]) {
      const body = { id: 'err_1', code: status, type: 'Unknown', message: `${ownToken()} is bad` }
      api.faultOf = () => ({ answer: { status, headers: { 'retry-after': '60' }, body } })
      texts.push((await send(sandbox, messageBody(), { authorization: `Bearer ${KEY}` })).text)
    }
    api.faultOf = () => undefined
    const answers = [
      await send(sandbox, messageBody(), { authorization: `Basic ${KEY}x` }),
      await send(sandbox, messageBody(), { authorization: `${KEY}x` }),
      await send(sandbox, messageBody(), { authorization: null, headers: { 'x-bp-secret': `${KEY}x` } }),
      await send(sandbox, messageBody({ text: '' }), { authorization: `Bearer ${KEY}` }),
      await send(sandbox, messageBody(), { authorization: null, path: `/${KEY}` }),
      await send(sandbox, messageBody(), { authorization: `Bearer ${KEY}` }),
    ]
    await sandbox.settled()
    for (const text of [...texts, ...answers.map((answer) => answer.text), ...logged]) {
      expect(text).not.toContain(KEY)
      expect(text).not.toContain(sandbox.integrationToken)
    }
  })
})

describe('the ways around the access key are shut', () => {
  it.each([
    ['a prefix', KEY.slice(0, -1)],
    ['more than it', `${KEY}0`],
    ['another case', KEY.toLowerCase()],
    ['the key twice', KEY + KEY],
    ['another key', newKey()],
    ['a text of no key', 'undefined'],
    ['null in a word', 'null'],
  ])('%s', async (_what, credential) => {
    expectShut((await send(sandbox, messageBody(), { authorization: `Bearer ${credential}` })).status)
    const headers = { 'x-bp-secret': credential }
    expectShut((await send(sandbox, messageBody(), { authorization: null, headers })).status)
  })

  it.each([
    ['an empty Authorization', { authorization: '' }],
    ['white space', { authorization: '  ' }],
    ['an empty token', { authorization: 'Bearer ' }],
    ['a prefix as a single word', { authorization: KEY.slice(0, -1) }],
    ['two keys in one word', { authorization: `Bearer ${KEY},${KEY}` }],
    ['the key in quotes', { authorization: `Bearer "${KEY}"` }],
    ['an empty x-bp-secret', { authorization: null, headers: { 'x-bp-secret': '' } }],
    ['white space in x-bp-secret', { authorization: null, headers: { 'x-bp-secret': ' ' } }],
    ['x-bp-secret with a scheme', { authorization: null, headers: { 'x-bp-secret': `Bearer ${KEY}` } }],
    ['a key in the query', { authorization: null, path: `/?key=${KEY}&access_key=${KEY}&x-bp-secret=${KEY}` }],
    ['a key in another header', { authorization: null, headers: { 'x-api-key': KEY, cookie: `key=${KEY}` } }],
    ['a token in x-bp-secret', { authorization: null, headers: { 'x-bp-secret': 'bp_pat_sandbox' } }],
    ['another key for a gateway', { authorization: `Basic ${newKey()}`, headers: { 'x-bp-secret': newKey() } }],
  ])('%s: refused before anything is asked of Botpress', async (_what, how) => {
    expectShut((await send(sandbox, messageBody(), { unchecked: true, ...how })).status)
    expect(api.calls).toEqual([])
  })

  it('two Authorization headers without a key', async () => {
    const request = http.request(sandbox.webhookUrl, { method: 'POST' })
    request.setHeader('authorization', [`Bearer ${newKey()}`, 'Bearer other']).end(JSON.stringify(messageBody()))
    const response = await new Promise<http.IncomingMessage>((resolve) => request.on('response', resolve))
    response.resume()
    expectShut(response.statusCode!)
    expect(api.calls).toEqual([])
  })

  it('a key in the body', async () => {
    const body = messageBody({ accessKey: KEY, key: KEY, authorization: `Bearer ${KEY}` })
    expectShut((await send(sandbox, body, { authorization: null })).status)
  })

  it.each([undefined, '', ' ', '\n\t'])('none configured (%j): nothing opens', async (accessKey) => {
    const own = await installationForTest({ accessKey, onApiCall: api.onApiCall })
    for (const credential of [KEY, 'undefined', 'null', '""', '', ' ', '[]']) {
      expectShut((await send(own, messageBody(), { authorization: `Bearer ${credential}` })).status)
      const headers = { 'x-bp-secret': credential }
      expectShut((await send(own, messageBody(), { authorization: null, headers })).status)
    }
  })

  it('a malformed one, saved all the same, opens nothing, and tokens go on working', async () => {
    const own = await sandboxForTest({ bot: () => [], onApiCall: api.onApiCall })
    const three = [KEY, newKey(), newKey()].join(' ')
    const values = ['short', 'x'.repeat(201), 'é'.repeat(40), 123, false, {}, [], null]
    for (const accessKey of values as string[]) {
      own.configure({ accessKey })
      expectShut((await send(own, messageBody(), { authorization: `Bearer ${encodeURI(accessKey)}` })).status)
      expect((await send(own, messageBody())).status).toBe(200)
      api.calls = []
    }
    for (const accessKey of [three, `${KEY} short`]) {
      own.configure({ accessKey })
      expectShut((await send(own, messageBody(), { authorization: `Bearer ${KEY}` })).status)
    }
  })

  it('the key of another installation, of the same bot or another', async () => {
    const others = [newKey(), newKey()]
    const own = await installationForTest({ accessKey: KEY })
    await installationForTest({ accessKey: others[0] })
    await installationForTest({ accessKey: others[1], inBotOf: own, onApiCall: api.onApiCall })
    // Good where it belongs, also in the instance that is asked next.
    await send(own, messageBody(), { authorization: `Bearer ${KEY}` })
    await own.settled()
    api.calls = []
    for (const key of others) expectShut((await send(own, messageBody(), { authorization: `Bearer ${key}` })).status)
  })

  it('a key that was good, and is no longer configured', async () => {
    const own = await installationForTest({ accessKey: KEY, bot: () => [], onApiCall: api.onApiCall })
    const body = messageBody()
    expect((await send(own, body, { authorization: `Bearer ${KEY}` })).status).toBe(200)
    own.configure({ accessKey: newKey() })
    api.calls = []
    const answer = await send(own, { ...body, messageId: 'later' }, { authorization: `Bearer ${KEY}` })
    expectShut(answer.status)
    expect(answer.body).not.toHaveProperty('conversation')
  })
})

describe('a malformed access key fails the registration, with what one looks like and how to make one', () => {
  it.each([
    ['too short', 'k'.repeat(31)],
    ['too long', 'k'.repeat(201)],
    ['of other characters', 'é'.repeat(40)],
    ['with a control character', `${'k'.repeat(40)}\u0001`],
    ['of two, one of them too short', `${'k'.repeat(40)} short-secret`],
    ['of three', [newKey(), newKey(), newKey()].join(' ')],
  ])('%s', async (_what, accessKey) => {
    const endpoint = await endpointForTest()
    const failure: Error = await installationForTest({ accessKey, endpoint: endpoint.url }).then(
      () => expect.unreachable(),
      (error) => error
    )
    expect(failure.message).toMatch(/^The Access Key .*32 to 200 visible ASCII characters.*`openssl rand -hex 32`/)
    for (const word of accessKey.split(' ')) expect(failure.message).not.toContain(word)
    expect(endpoint.tests()).toEqual([])
  })
})
