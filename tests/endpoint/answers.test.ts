import http, { type ServerResponse } from 'node:http'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Installation } from '../../sandbox/cloud/installation'
import { messageBody, send } from '../harness/backend'
import type { Received } from '../harness/endpoint'
import { endpointForTest, installationForTest } from '../harness/for-test'
import { hostForTest } from '../harness/host-for-test'

// What the integration makes of an endpoint's answers; how long it waits for them is in slow-endpoints.test.ts.

/** An installation with a conversation, `tea`. */
const installationWith = async (endpoint: string, options = {}) => {
  const lines: string[] = []
  const onLog = (line: string) => lines.push(line)
  const installation = await installationForTest({ endpoint, onLog, ...options })
  const { conversation } = installation.chat.operations.createConversation({ channel: 'channel', tags: { id: 'tea' } })
  const say = (text: string) => installation.say(conversation.id, { type: 'text', payload: { text } })
  return { installation, say, lines }
}

const marks = ({ chat }: Installation) => chat.messages.all().map(({ tags }) => tags['delivery'])

const textsOf = (messages: Received[]) => messages.map(({ body }) => (body['payload'] as { text: string }).text)

describe('the body of an answer', () => {
  it('is read to its end: a backend may answer first, and work until the end of the same request', async () => {
    let isDone = false
    let isCut = false
    const endpoint = await endpointForTest((response) => {
      response.on('close', () => (isCut = !response.writableFinished))
      response.writeHead(200).flushHeaders()
      setTimeout(() => {
        isDone = !isCut
        response.end('done')
      }, 2500)
    })
    const { say } = await installationWith(endpoint.url)
    expect((await say('Hi')).status).toBe(200)
    expect({ isDone, isCut }).toEqual({ isDone: true, isCut: false })
  })

  it('has no say in whether the message is delivered: its mark is removed when the head is there', async () => {
    let tries = 0
    let finish = () => {}
    const endpoint = await endpointForTest((response) => {
      if (++tries === 1) return response.writeHead(503).end()
      finish = () => response.end()
      return response.writeHead(200).flushHeaders()
    })
    const { installation, say } = await installationWith(endpoint.url)
    const said = say('Hi')
    await expect.poll(() => tries).toBe(2)
    await expect.poll(() => marks(installation)).toEqual([undefined])
    finish()
    expect((await said).status).toBe(200)
  })

  it('delays the next message of a redelivery, so that an order is kept', async () => {
    let isDown = true
    let working = 0
    let most = 0
    const endpoint = await endpointForTest((response) => {
      if (isDown) return response.writeHead(503).end()
      most = Math.max(most, ++working)
      response.writeHead(200).flushHeaders()
      return setTimeout(() => response.end(() => working--), 300)
    })
    const { installation, say } = await installationWith(endpoint.url)
    await say('1')
    await say('2')
    isDown = false
    expect((await send(installation, {}, { path: '/redeliveries' })).body).toMatchObject({ delivered: 2 })
    expect({ most, marks: marks(installation) }).toEqual({ most: 1, marks: [undefined, undefined] })
  })

  it('is cut off after 1 MB', async () => {
    let written = 0
    const endpoint = await endpointForTest(async (response) => {
      response.writeHead(200)
      for (; !response.destroyed && written < 50; written++) {
        if (!response.write(Buffer.alloc(1024 * 1024))) await sleep(20)
      }
    })
    const { say } = await installationWith(endpoint.url)
    expect((await say('Hi')).status).toBe(200)
    expect(written).toBeLessThan(50)
  })
})

describe('307 and 308 are followed at the same host and port', () => {
  it('with the same bytes and headers, at most 3 in a row', async () => {
    const paths = ['/bot', '/bot/', '/v2/bot/', '/end']
    const endpoint = await endpointForTest((response, { url }) => {
      const [path, query] = url.split('?') as [string, string]
      const next = paths[paths.indexOf(path) + 1]
      if (next) response.writeHead(path === '/bot' ? 308 : 307, { location: `${next}?${query}` }).end('moved')
      else response.writeHead(204).end()
    })
    const { say, lines } = await installationWith(endpoint.url.replace('//', '//user:pass@'), {
      signingSecret: `whsec_${Buffer.alloc(32, 1).toString('base64')}`,
      endpointHeader: 'x-api-key: abc',
    })
    expect((await say('Hi')).status).toBe(200)
    const received = endpoint.messages()
    expect(received.map(({ url }) => url.split('?')[0])).toEqual(paths)
    for (const { text, headers, url } of received) {
      expect({ text, headers, query: url.split('?')[1] }).toEqual({
        text: received[0]!.text,
        headers: received[0]!.headers,
        query: 'key=a%20b',
      })
    }
    expect(received[0]!.headers).toMatchObject({
      authorization: `Basic ${btoa('user:pass')}`,
      'x-api-key': 'abc',
      'webhook-signature': expect.stringMatching(/^v1,/),
    })
    expect(lines).toEqual([])
  })

  it('a fourth is a failure that names its target, and is final', async () => {
    const endpoint = await endpointForTest((response) => response.writeHead(307, { location: '/again?x=1' }).end())
    const { say, installation } = await installationWith(endpoint.url)
    const { origin, host } = new URL(endpoint.url)
    expect((await say('Hi')).body).toContain(
      `in 1 try: ${host} answered 307, a redirect to ${origin}/again, which is not followed.`
    )
    expect(endpoint.messages()).toHaveLength(4)
    expect(marks(installation)).toEqual(['failed'])
  })

  it.each([307, 308])(
    '%i to another host or port is a failure that names it: no message goes there',
    async (status) => {
      const other = await endpointForTest()
      let location = ''
      const endpoint = await endpointForTest((response) => response.writeHead(status, { location }).end())
      const { say } = await installationWith(endpoint.url)
      for (location of [other.url, endpoint.url.replace('127.0.0.1', 'localhost'), 'https://example.com/bot']) {
        const { origin, pathname } = new URL(location)
        expect((await say('Hi')).body).toContain(`answered ${status}, a redirect to ${origin}${pathname}, which is not`)
      }
      expect(other.messages()).toEqual([])
      expect(endpoint.messages()).toHaveLength(3)
    }
  )

  it.each([301, 302, 303])('%i is not followed: a GET would lose the message', async (status) => {
    const endpoint = await endpointForTest((response) => response.writeHead(status, { location: '/else' }).end())
    const { say } = await installationWith(endpoint.url)
    expect((await say('Hi')).body).toContain(`answered ${status}, a redirect to `)
    expect(endpoint.messages()).toHaveLength(1)
  })

  it('when the configuration is saved too', async () => {
    const requests: string[] = []
    const respond = (response: ServerResponse, path: string) => {
      requests.push(path)
      if (path === '/bot') response.writeHead(307, { location: '/bot/' }).end()
      else response.writeHead(200).end()
    }
    const server = http.createServer((request, response) =>
      request.resume().on('end', () => respond(response, request.url!))
    )
    await expect(installationForTest({ endpoint: `http://${await hostForTest(server)}/bot` })).resolves.toBeDefined()
    expect(requests).toEqual(['/bot', '/bot/'])
  })
})

describe('a gateway’s 504 and 524', () => {
  it.each([504, 524])('%i: the message may have arrived, and is not tried again', async (status) => {
    const endpoint = await endpointForTest((response) => response.writeHead(status).end())
    const { say, installation, lines } = await installationWith(endpoint.url)
    expect((await say('Hi')).body).toMatch(
      new RegExp(
        `may have arrived, in 1 try: .* answered ${status}, which a gateway does while the endpoint still works`
      )
    )
    expect(endpoint.messages()).toHaveLength(1)
    expect(marks(installation)).toEqual(['unknown'])
    expect(lines.join()).toContain('may have arrived')
  })
})

describe('an answer that is hard to read as HTTP', () => {
  /** An endpoint that answers the test message well, and messages with these bytes. */
  const endpointThatWrites = async (bytes: string) => {
    let messages = 0
    const server = createServer((socket) => {
      let text = ''
      socket
        .on('error', () => {})
        .on('data', (chunk) => {
          text += String(chunk)
          const [head = '', body = ''] = text.split('\r\n\r\n')
          if (body.length < Number(/content-length: (\d+)/i.exec(head)?.[1] ?? Infinity)) return
          text = ''
          if (body.includes('"test"')) return socket.write('HTTP/1.1 204 No Content\r\n\r\n')
          messages++
          return socket.end(bytes)
        })
    })
    return { url: `http://${await hostForTest(server)}`, messages: () => messages }
  }

  it('a head of 60 kB is read', async () => {
    const headers = Array.from({ length: 60 }, (_, index) => `x-${index}: ${'x'.repeat(1000)}\r\n`).join('')
    const endpoint = await endpointThatWrites(`HTTP/1.1 200 OK\r\n${headers}content-length: 0\r\n\r\n`)
    const { say, lines } = await installationWith(endpoint.url)
    expect((await say('Hi')).status).toBe(200)
    expect({ messages: endpoint.messages(), lines }).toEqual({ messages: 1, lines: [] })
  })

  it.each([
    ['its length twice', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok', 'HPE_UNEXPECTED'],
    ['a head of 70 kB', `HTTP/1.1 200 OK\r\nx: ${'x'.repeat(70_000)}\r\n\r\n`, 'HPE_HEADER_OVERFLOW'],
    ['no HTTP at all', '220 smtp.example ESMTP\r\n', 'HPE_'],
  ])('%s: the message may have arrived, and is not tried again', async (_what, bytes, code) => {
    const endpoint = await endpointThatWrites(bytes)
    const { say, installation } = await installationWith(endpoint.url)
    const { body } = await say('Hi')
    expect(body).toContain('may have arrived, in 1 try')
    expect(body).toContain(`sent an answer that is not HTTP (${code}`)
    expect({ messages: endpoint.messages(), marks: marks(installation) }).toEqual({ messages: 1, marks: ['unknown'] })
  })
})

describe('half a character, as of a text that was cut within an emoji', () => {
  const CUT = '👩'.slice(0, 1)

  it('is U+FFFD in what is delivered, returned and read, so that all of it is well-formed', async () => {
    const endpoint = await endpointForTest()
    const payload = { text: `cut ${CUT}`, [CUT]: `\\${CUT}`, whole: '👩 \\ud83d' }
    const { installation } = await installationWith(endpoint.url, { bot: () => [{ type: 'any', payload }] })
    const body = messageBody()
    const sent = await send(installation, body, { headers: { prefer: 'wait=20, replies=1' } })
    const query = new URLSearchParams({ conversationId: String(body.conversationId) })
    const read = await send(installation, undefined, { method: 'GET', path: `/messages?${query}` })
    await installation.settled()
    const received = endpoint.messages()
    const wellFormed = { text: 'cut \ufffd', '\ufffd': '\\\ufffd', whole: '👩 \\ud83d' }
    expect(sent.body.replies[0].payload).toEqual(wellFormed)
    expect(read.body.messages[0].payload).toEqual(wellFormed)
    expect(received[0]!.body['payload']).toEqual(wellFormed)
    for (const { text } of [sent, read, ...received]) expect(text).not.toMatch(/(?<!\\)\\ud[89a-f]/i)
    expect(textsOf(received)).toEqual(['cut \ufffd'])
  })

  it('is signed as it is sent', async () => {
    const { Webhook } = await import('standardwebhooks')
    const signingSecret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`
    const endpoint = await endpointForTest()
    const { say } = await installationWith(endpoint.url, { signingSecret })
    await say(`cut ${CUT}`)
    const [{ text, headers }] = endpoint.messages() as [Received]
    expect(new Webhook(signingSecret).verify(text, headers as Record<string, string>)).toMatchObject({ type: 'text' })
  })
})
