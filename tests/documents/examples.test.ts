import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { promisify } from 'node:util'
import { Webhook } from 'standardwebhooks'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startSandbox } from '../../sandbox/sandbox'
import { sandboxForTest } from '../harness/for-test'
import { hostForTest } from '../harness/host-for-test'
import { freePort } from '../harness/free-port'

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const KEY = 'an-access-key-to-try-things-out-with'

/** Starts a backend of the examples, and resolves once it listens. */
const spawnBackend = async (
  command: string,
  file: string,
  { port, webhookUrl }: { port: number; webhookUrl: string }
) => {
  const env = {
    ...process.env,
    WEBHOOK_URL: webhookUrl,
    ACCESS_KEY: KEY,
    SIGNING_SECRET: SECRET,
    PORT: String(port),
  }
  const backend = spawn(command, [file], { env, stdio: ['pipe', 'pipe', 'inherit'] })
  onTestFinished(() => void backend.kill('SIGKILL'))
  let output = ''
  backend.stdout.on('data', (chunk) => (output += chunk))
  await expect.poll(() => output).toContain('Listening')
  return { backend, output: () => output }
}

/** Starts a backend of the examples, and a sandbox that has it for its endpoint. */
const startBackend = async (command: string, file: string) => {
  const [port, sandboxPort] = [await freePort(), await freePort()]
  const webhookUrl = `http://localhost:${sandboxPort}/webhook`
  const { backend, output } = await spawnBackend(command, file, { port, webhookUrl })
  const endpoint = `http://127.0.0.1:${port}/`
  const said: unknown[] = []
  const sandbox = await startSandbox({
    port: sandboxPort,
    endpoint,
    signingSecret: SECRET,
    accessKey: KEY,
    onMessage: ({ direction, payload }) => direction === 'incoming' && said.push(payload.text),
  })
  onTestFinished(sandbox.close)
  return { backend, endpoint, output, said }
}

describe.each([
  ['node', process.execPath, 'examples/node/backend.mjs'],
  ['python', 'python3', 'examples/python/backend.py'],
])('the example in %s', (_language, command, file) => {
  it('sends a message, receives the reply, verifies the signature and drops repeats', async () => {
    const { backend, endpoint, output, said } = await startBackend(command, file)

    backend.stdin.write('\n  \nHello "there"\n')
    await expect.poll(output).toContain('\ntea: You said: Hello "there"\n')
    backend.stdin.write('location\n')
    await expect.poll(output).toMatch(/\ntea: location \{"latitude"/)
    expect(output()).not.toContain('test')
    expect(said).toEqual(['Hello "there"', 'location'])

    const body = JSON.stringify({ type: 'text', payload: { text: 'Once' }, conversationId: 'tea' })
    const now = new Date()
    const post = (signature: string, timestamp = now, content = body) =>
      fetch(endpoint, {
        method: 'POST',
        headers: {
          'webhook-id': 'msg_1',
          'webhook-timestamp': String(Math.floor(timestamp.getTime() / 1000)),
          'webhook-signature': signature,
        },
        body: content,
      }).then(({ status }) => status)
    const signature = new Webhook(SECRET).sign('msg_1', now, body)
    const old = new Date(now.getTime() - 600_000)

    expect(await post('v1,forged')).toBe(401)
    expect(await post(signature, now, body.replace('Once', 'Changed'))).toBe(401)
    expect(await post(new Webhook(SECRET).sign('msg_1', old, body), old)).toBe(401)
    expect(await post(signature)).toBe(204)
    expect(await post(`v1,another ${signature}`)).toBe(204)
    await expect.poll(output).toContain('tea: Once\n')
    expect(output().split('Once')).toHaveLength(2)
    expect(output()).not.toContain('Changed')
  })
})

describe.each([
  ['node', process.execPath, 'examples/node/backend.mjs'],
  ['python', 'python3', 'examples/python/backend.py'],
])('the example in %s, when it starts', (_language, command, file) => {
  it('gets what it has missed', async () => {
    const port = await freePort()
    const options = { endpoint: `http://127.0.0.1:${port}/`, signingSecret: SECRET, accessKey: KEY }
    const { webhookUrl, chat } = await sandboxForTest({ ...options, startsWithoutEndpoint: true })
    const { conversation } = chat.operations.getOrCreateConversation({ channel: 'channel', tags: { id: 'tea' } })
    const input = { conversationId: conversation.id, userId: chat.users.all()[0]!.id, type: 'text' }
    for (const [text, delivery] of [
      ['First', 'failed'],
      ['Second', 'failed'],
      ['Perhaps', 'unknown'],
    ] as const) {
      const { id } = chat.createBotMessage({ ...input, payload: { text } })
      chat.operations.updateMessage({ id, tags: { delivery } })
    }
    const { output } = await spawnBackend(command, file, { port, webhookUrl })
    await expect.poll(output).toContain('tea: First\ntea: Second\ntea: Perhaps\n')
  })
})

describe.each([
  ['node', process.execPath, 'examples/node/backend.mjs'],
  ['python', 'python3', 'examples/python/backend.py'],
])('the example in %s, when something is wrong', (_language, command, file) => {
  it('says which variable is missing', async () => {
    const env = { PATH: process.env['PATH'], ACCESS_KEY: 'x' }
    const { code, stderr } = await promisify(execFile)(command, [file], { env }).catch((error) => error)
    expect(code).toBe(1)
    expect(stderr).toBe('Set WEBHOOK_URL, SIGNING_SECRET in the environment: see README.md beside this file.\n')
  })

  it('goes on after a request that was cut off', async () => {
    const { backend, endpoint, output } = await startBackend(command, file)
    const socket = connect(Number(new URL(endpoint).port), '127.0.0.1')
    socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{')
    await new Promise((resolve) => setTimeout(resolve, 200))
    socket.resetAndDestroy()
    backend.stdin.write('Still there?\n')
    await expect.poll(output).toContain('tea: You said: Still there?')
  })

  it('goes on after an error that is none of the integration', async () => {
    const server = createServer((_request, response) => response.writeHead(403).end('<h1>Forbidden</h1>'))
    const env = {
      ...process.env,
      WEBHOOK_URL: `http://${await hostForTest(server)}`,
      ACCESS_KEY: 'x',
      SIGNING_SECRET: SECRET,
      PORT: '0',
    }
    const backend = spawn(command, [file], { env })
    onTestFinished(() => void backend.kill('SIGKILL'))
    let errors = ''
    backend.stderr.on('data', (chunk) => (errors += chunk))
    backend.stdin.write('Hello\n')
    await expect.poll(() => errors).toContain('Not sent: 403 <h1>Forbidden</h1>\n')
    await expect.poll(() => errors).toContain('Not caught up: 403 <h1>Forbidden</h1>\n')
    backend.stdin.write('Again\n')
    await expect.poll(() => errors.split('Not sent: 403')).toHaveLength(3)
  })

  it('says so where its port is taken', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, resolve))
    onTestFinished(() => void server.close())
    const port = String((server.address() as AddressInfo).port)
    const env = { ...process.env, WEBHOOK_URL: 'x', ACCESS_KEY: 'x', SIGNING_SECRET: SECRET, PORT: port }
    const { code, stderr } = await promisify(execFile)(command, [file], { env }).catch((error) => error)
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(new RegExp(`^Port ${port} cannot be opened: .*PORT\\.\n$`)),
    ])
  })

  it('frees its port when the terminal is closed', async () => {
    const { backend } = await startBackend(command, file)
    backend.stdin.end()
    const [code] = await once(backend, 'exit')
    expect(code).toBe(0)
  })
})

describe('the example with curl', () => {
  it('prints an answer with the bot’s reply in it', async () => {
    // The one that the example has where it is given none.
    const { webhookUrl } = await sandboxForTest({ accessKey: KEY })
    const env = { ...process.env, WEBHOOK_URL: webhookUrl }
    const { stdout } = await promisify(execFile)('sh', ['examples/curl/curl.sh', 'Say "Hi" \\o/'], { env })
    expect(JSON.parse(stdout).replies.map((reply: { payload: object }) => reply.payload)).toEqual([
      { text: 'You said: Say "Hi" \\o/' },
    ])
  })
})
