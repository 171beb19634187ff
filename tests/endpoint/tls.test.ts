import { writeFile } from 'node:fs/promises'
import https from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { TLSSocket } from 'node:tls'
import { beforeAll, describe, expect, it } from 'vitest'
import { sandboxForTest } from '../harness/for-test'
import { startInProcessOf } from '../node-18/bundle-process'
import { selfSigned } from '../harness/self-signed'
import { hostForTest } from '../harness/host-for-test'

const trusted = join(tmpdir(), `trusted-${process.pid}.pem`)

beforeAll(() => writeFile(trusted, selfSigned.cert))

/** An https endpoint, and the integration that trusts it, in a process that knows these addresses of names. */
const endpointOverTls = async () => {
  const seen: { servername: string | false; isResumed: boolean; body: string }[] = []
  let connections = 0
  const server = https.createServer(selfSigned, async (request, response) => {
    const socket = request.socket as TLSSocket & { servername: string | false }
    seen.push({ servername: socket.servername, isResumed: socket.isSessionReused(), body: await text(request) })
    response.writeHead(200).end('thanks')
  })
  server.on('secureConnection', () => connections++)
  const port = (await hostForTest(server)).split(':')[1]
  const install = (host: string, path = '/') =>
    sandboxForTest({
      endpoint: `https://${host}:${port}${path}`,
      env: () => ({
        NODE_EXTRA_CA_CERTS: trusted,
        HOSTS: JSON.stringify({ localhost: ['127.0.0.2', '127.0.0.1'], 'far.example': ['127.0.0.1'] }),
      }),
      startInstance: startInProcessOf(process.execPath),
      maxInstances: 1,
    })
  return { install, seen, connections: () => connections, drop: () => server.closeAllConnections() }
}

describe('an https endpoint', () => {
  it('is reached at the second address of its name, over one connection, and over a session that is resumed', async () => {
    const { install, seen, connections, drop } = await endpointOverTls()
    const sandbox = await install('localhost')
    const { conversation } = sandbox.chat.operations.createConversation({ channel: 'channel', tags: { id: 'tea' } })
    const say = (words: string) => sandbox.say(conversation.id, { type: 'text', payload: { text: words } })
    expect((await say('one')).status).toBe(200)
    expect((await say('x'.repeat(100_000))).status).toBe(200)
    expect(connections()).toBe(1)
    drop()
    expect((await say('three')).status).toBe(200)
    expect(connections()).toBe(2)
    expect(seen.map(({ servername, isResumed }) => [servername, isResumed])).toEqual([
      ['localhost', false],
      ['localhost', false],
      ['localhost', false],
      ['localhost', true],
    ])
    expect(JSON.parse(seen[2]!.body).payload.text).toHaveLength(100_000)
  })

  it('may be at an address, which its certificate has', async () => {
    const { install, seen } = await endpointOverTls()
    await expect(install('127.0.0.1')).resolves.toBeDefined()
    expect(seen).toMatchObject([{ servername: false, body: '{"type":"test","payload":"test"}' }])
  })

  it('with a certificate for another name gets nothing', async () => {
    const { install, seen } = await endpointOverTls()
    await expect(install('far.example')).rejects.toThrow(
      /far\.example:\d+ has a certificate that is not trusted \(ERR_TLS_CERT_ALTNAME_INVALID\)\. Give/
    )
    expect(seen).toEqual([])
  })
})
