import { once } from 'node:events'
import http from 'node:http'
import { connect } from 'node:net'
import { beforeAll, describe, expect, it } from 'vitest'
import { messageBody, send } from '../../tests/harness/backend'
import { sandboxForTest } from '../../tests/harness/for-test'
import { type Sandbox, startSandbox } from '../sandbox'

let sandbox: Sandbox
let port: string

beforeAll(async () => {
  sandbox = await startSandbox({ page: true })
  port = new URL(sandbox.webhookUrl).port
  return sandbox.close
})

const get = (path: string, headers: http.OutgoingHttpHeaders = {}, method = 'GET') =>
  new Promise<{ status: number; headers: http.IncomingHttpHeaders }>((resolve, reject) => {
    http
      .request({ host: '127.0.0.1', port, path, method, headers }, (response) => {
        response.destroy()
        resolve({ status: response.statusCode!, headers: response.headers })
      })
      .on('error', reject)
      .end()
  })

describe('the page is for the machine that it runs on', () => {
  const PATHS = [
    '/',
    '/events',
    '/guide',
    '/page/main.js',
    '/modules/preact/dist/preact.mjs',
    '/exchanges/x',
    '/messages/x',
  ]

  it('is served there, to no other origin’s script', async () => {
    for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`]) {
      for (const path of PATHS) {
        const { status, headers } = await get(path, { host })
        expect([path, status]).toEqual([path, path.endsWith('/x') ? 404 : 200])
        if (path !== '/events') expect(headers['x-content-type-options']).toBe('nosniff')
      }
    }
    const { headers } = await get('/')
    expect(headers['content-security-policy']).toContain("default-src 'none'")
    expect(headers).not.toHaveProperty('access-control-allow-origin')
  })

  it.each([
    ['another origin', { origin: 'http://attacker.example' }],
    ['another port of this machine', { origin: 'http://localhost:1' }],
    ['an origin that is not told', { origin: 'null' }],
    ['another site', { 'sec-fetch-site': 'cross-site' }],
  ])('is refused to %s', async (_what, headers) => {
    for (const path of PATHS) expect((await get(path, headers)).status).toBe(403)
    expect((await get('/control/faults', headers, 'PUT')).status).toBe(403)
    expect((await get('/control/faults', headers, 'DELETE')).status).toBe(403)
    expect((await get('/messages/x/deliveries', headers, 'POST')).status).toBe(403)
    expect((await get('/endpoint', headers, 'POST')).status).toBe(403)
  })

  it('is shown to who follows a link on another site, and nothing else is', async () => {
    const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }
    expect((await get('/?q=tea', headers)).status).toBe(200)
    expect((await get('/guide', headers)).status).toBe(200)
    expect((await get('/exchanges/x', headers)).status).toBe(403)
    expect((await get('/control/faults', headers, 'DELETE')).status).toBe(403)
  })

  it('listens on the loopback interface only', async () => {
    // Another address of this machine: who listens on all of them answers there too.
    const socket = connect(Number(port), '127.0.0.2')
    const [error] = await once(socket, 'error')
    expect(error.code).toBe('ECONNREFUSED')
  })

  it('is not there unless it is asked for', async () => {
    const without = await sandboxForTest()
    const response = await fetch(new URL('/', without.webhookUrl))
    expect(response.status).toBe(404)
    await response.body?.cancel()
  })
})

/** Reads the events until one is there that holds those words. */
const readEvents = async (from: Sandbox, until: string): Promise<string> => {
  const response = await fetch(new URL('/events', from.webhookUrl))
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  const chunks = ['']
  while (!(chunks.at(-2) ?? '').concat(chunks.at(-1)!).includes(until)) chunks.push((await reader.read()).value!)
  await reader.cancel()
  return chunks.join('')
}

describe('the events', () => {
  it('begin with what was before, newest last, without the token of a request', async () => {
    await send(sandbox, messageBody({ text: 'Look' }))
    await sandbox.settled()
    const text = await readEvents(sandbox, 'You said: Look')
    expect(text).toMatch(/^event: start\n/)
    expect(text).toContain('Bearer •••')
    expect(text).not.toContain(`Bearer ${sandbox.token}`)
  })

  it('tell each request with its body, when it begins and when it ends, of whichever instance', async () => {
    const own = await sandboxForTest({ page: true })
    await send(own, messageBody({ text: 'burst 30', conversationId: 'tea' }))
    await own.settled()
    const text = await readEvents(own, 'event: faults')
    const exchanges = [...text.matchAll(/^event: exchange\ndata: (.*)$/gm)].map(([, data]) => JSON.parse(data!))
    const ended = exchanges.filter(({ to }) => to === 'endpoint').slice(1)
    expect(new Set(ended.map(({ requestBody }) => JSON.parse(requestBody).payload.text)).size).toBe(30)
    expect(new Set(ended.map(({ id }) => id)).size).toBe(30)
    for (const { from, method, url, status, durationMs } of ended) {
      expect([from, method, url, status]).toEqual([
        'integration',
        'POST',
        `${new URL(own.webhookUrl).origin}/endpoint`,
        204,
      ])
      expect(durationMs).toBeGreaterThanOrEqual(0)
    }
    expect(text).toMatch(/^event: message\ndata: .*"conversationId":"tea"/m)
  })

  it('show that a credential was there and of which sort, and never what it is', async () => {
    const accessKey = 'k'.repeat(40)
    const own = await sandboxForTest({ page: true, accessKey, endpointHeader: 'Authorization: Bearer of-the-endpoint' })
    await send(own, messageBody(), { authorization: `Bearer ${accessKey}` })
    await send(own, messageBody(), { authorization: null, headers: { 'x-bp-secret': accessKey } })
    await send(own, messageBody())
    await send(own, messageBody(), { authorization: 'Bearer made_up' })
    // Slips: both keys as they stand in the configuration, in the URL, in another header, without a scheme.
    for (const authorization of [`Bearer ${accessKey} ${accessKey}`, `${accessKey} oops`, `Bearer ${accessKey},x`]) {
      await send(own, messageBody(), { authorization })
      await send(own, messageBody(), { authorization: null, headers: { 'x-bp-secret': authorization } })
    }
    await send(own, messageBody({ key: accessKey }), {
      authorization: null,
      path: `/?key=${accessKey}`,
      headers: { cookie: `key=${accessKey}`, 'proxy-authorization': `Bearer ${accessKey}` },
    })
    await own.settled()
    // What was good a while ago may be good still.
    own.configure({ accessKey: 'n'.repeat(40), endpointHeader: 'Authorization: Bearer new-of-the-endpoint' })
    await send(own, messageBody(), { authorization: `Bearer ${'n'.repeat(40)}` })
    await own.settled()
    const text = await readEvents(own, 'event: faults')
    const shown = [...text.matchAll(/"(?:authorization|x-bp-secret)":"([^"]*)"/gi)].map(([, value]) => value)
    expect(new Set(shown)).toEqual(
      new Set([
        'Bearer ••• (access key)',
        '••• (access key)',
        'Bearer ••• (Personal Access Token)',
        'Bearer ••• (unknown)',
        'Bearer ••• (the integration’s token)',
        '••• (endpoint header)',
        '••• (unknown)',
      ])
    )
    // The page itself has what it is let in with.
    const shownAfterStart = text.slice(text.indexOf('event: exchange'))
    for (const secret of [accessKey, 'n'.repeat(40), own.token, own.integrationToken, 'of-the-endpoint', 'made_up']) {
      expect(shownAfterStart).not.toContain(secret)
    }
  })

  it('have no more than the first 20,000 characters of a body, and say how much is missing: the rest is there on demand', async () => {
    const quiet = await sandboxForTest({ page: true, bot: () => [] })
    await send(quiet, messageBody({ text: 'x'.repeat(100_000) }))
    const text = await readEvents(quiet, 'event: faults')
    expect(text).toMatch(/"requestBodyOmitted":80\d{3}\b/)
    expect(text).toMatch(/"responseBodyOmitted":80\d{3}\b/)
    expect(text).toMatch(/"payloadBeginning":\{"text":"[^\n]*","omitted":80\d{3}\}/)
    for (const [run] of text.matchAll(/x+/g)) expect(run.length).toBeLessThanOrEqual(20_000)
    const [, exchangeId] = text.match(/"id":"(webhook-[^"]+)"/)!
    const [messageId] = text.match(/msg_\w+/)!
    for (const path of [`/exchanges/${exchangeId}`, `/messages/${messageId}`]) {
      expect(await (await fetch(new URL(path, quiet.webhookUrl))).text()).toContain('x'.repeat(100_000))
    }
  })

  it('are for pages that read them: one that does not is dropped', async () => {
    const quiet = await sandboxForTest({ page: true, bot: () => [] })
    const { port: itsPort } = new URL(quiet.webhookUrl)
    const socket = connect(Number(itsPort), 'localhost')
    socket.write('GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await once(socket, 'connect')
    const { body } = await send(quiet, messageBody())
    // Some 40 MB of events: more than the buffers of the connection take.
    const long = { type: 'text', payload: { text: 'x'.repeat(100_000) } }
    for (let count = 0; count < 150; count++) await quiet.say(body.conversation.id, long)
    const closed = once(socket, 'close')
    socket.on('error', () => {}).resume()
    await closed
    expect(await readEvents(quiet, 'event: faults')).toContain('event: start')
  })
})
