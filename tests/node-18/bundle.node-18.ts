import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { demoMessages } from '../../sandbox/bot/demo-messages'
import { type Sandbox, startSandbox } from '../../sandbox/sandbox'
import { messageBody, send } from '../harness/backend'
import { type Endpoint, startEndpoint } from '../harness/endpoint'
import { blackHole } from '../harness/black-hole'
import { farServer } from '../harness/far-server'
import { sandboxForTest } from '../harness/for-test'
import { nodeOf, startInProcessOf } from './bundle-process'

const KEY = 'k'.repeat(64)

let sandbox: Sandbox
let endpoint: Endpoint
let version: string
const logged: string[] = []

beforeAll(async () => {
  const execPath = await nodeOf('18')
  ;({ stdout: version } = await promisify(execFile)(execPath, ['--version']))
  let failing = 0
  endpoint = await startEndpoint((response) => response.writeHead(failing++ === 0 ? 503 : 204).end())
  sandbox = await startSandbox({
    endpoint: endpoint.url,
    accessKey: KEY,
    endpointHeader: 'x-api-key: abc',
    signingSecret: `whsec_${Buffer.alloc(32, 1).toString('base64')}`,
    onLog: (line) => logged.push(line),
    startInstance: startInProcessOf(execPath),
  })
  return async () => {
    await sandbox.close()
    await endpoint.close()
  }
}, 120_000)

describe('the bundle needs no more than Node 18', () => {
  it('which runs here', () => {
    expect(version).toMatch(/^v18\./)
  })

  it('a message and its replies, waited for', async () => {
    const answer = await send(sandbox, messageBody({ text: 'burst 3' }), { headers: { prefer: 'wait=20' } })
    expect(answer.status).toBe(200)
    expect(answer.body.replies.map(({ payload }: { payload: { text: string } }) => payload.text)).toEqual([
      '1 of 3',
      '2 of 3',
      '3 of 3',
    ])
    await sandbox.settled()
    // One of them at the second try.
    expect(endpoint.messages()).toHaveLength(4)
  })

  it('every type of message', async () => {
    const types = Object.keys(demoMessages(''))
    for (const type of types) await send(sandbox, messageBody({ text: type }))
    await sandbox.settled()
    expect(new Set(endpoint.messages().map(({ body }) => body.type))).toEqual(new Set(['text', ...types]))
  })

  it('what is remembered, reading, actions and errors', async () => {
    const body = messageBody({ user: { name: 'Ada' } })
    await send(sandbox, body)
    const later = await send(sandbox, { ...body, messageId: 'later', user: { name: 'Countess' } })
    expect(later.body.user.name).toBe('Countess')
    const query = new URLSearchParams({ conversationId: String(body.conversationId) })
    const read = await send(sandbox, undefined, { method: 'GET', path: `/messages?${query}` })
    expect(read.status).toBe(200)
    expect((await sandbox.callAction('getOrCreateUser', { user: { id: 'ada' } })).status).toBe(200)
    expect((await send(sandbox, '{"a":', { unchecked: true })).body.detail).toContain('line 1, column 6')
    expect((await send(sandbox, body, { authorization: 'Bearer unknown' })).status).toBe(401)
  })

  it('an access key, and an endpoint header', async () => {
    expect((await send(sandbox, messageBody(), { authorization: `Bearer ${KEY}` })).status).toBe(200)
    expect((await send(sandbox, messageBody(), { authorization: `Bearer ${KEY}k` })).status).toBe(401)
    await sandbox.settled()
    expect(new Set(endpoint.messages().map(({ headers }) => headers['x-api-key']))).toEqual(new Set(['abc']))
  })

  it('logs nothing of it', () => {
    // One instance may deliver what another has failed on.
    expect(logged.filter((line) => !line.includes('are delivered now: 1'))).toEqual([])
  })

  it('an endpoint that is far away and has several addresses', async () => {
    const port = await farServer()
    const far = await sandboxForTest({
      endpoint: `http://far.example:${port}/`,
      env: () => ({ HOSTS: JSON.stringify({ 'far.example': ['127.0.0.1', '127.0.0.2'] }) }),
      startInstance: startInProcessOf(await nodeOf('18')),
    })
    expect((await send(far, messageBody({ text: 'silent' }))).status).toBe(200)
  })

  it('an endpoint all of whose addresses are silent', async () => {
    const silent = ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5', '127.0.0.6']
    const port = await blackHole(silent)
    const lines: string[] = []
    const far = await sandboxForTest({
      endpoint: `http://far.example:${port}/`,
      env: () => ({ HOSTS: JSON.stringify({ 'far.example': silent }) }),
      startInstance: startInProcessOf(await nodeOf('18')),
      startsWithoutEndpoint: true,
      onLog: (line) => lines.push(line),
    })
    expect(lines[0]).toMatch(
      /could not be reached in time, within 10 s: at 127\.0\.0\.2 .*127\.0\.0\.6 \(TIMED_OUT\)\./
    )
    expect(far.instances).toHaveLength(1)
  })
})
