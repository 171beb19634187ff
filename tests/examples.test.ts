import { execFile, spawn } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { Webhook } from 'standardwebhooks'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startSandbox } from '../sandbox/sandbox'
import { sandboxForTest } from './for-test'

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

const freePort = async (): Promise<number> => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Starts a backend of the examples, and a sandbox that has it for its endpoint. */
const startBackend = async (command: string, file: string) => {
  const [port, sandboxPort] = [await freePort(), await freePort()]
  const env = {
    ...process.env,
    WEBHOOK_URL: `http://localhost:${sandboxPort}/webhook`,
    TOKEN: 'bp_pat_sandbox',
    SIGNING_SECRET: SECRET,
    PORT: String(port),
  }
  const backend = spawn(command, [file], { env, stdio: ['pipe', 'pipe', 'inherit'] })
  onTestFinished(() => void backend.kill('SIGKILL'))
  let output = ''
  backend.stdout.on('data', (chunk) => (output += chunk))
  await expect.poll(() => output, { timeout: 10_000 }).toContain('Listening')
  const endpoint = `http://127.0.0.1:${port}/`
  const sandbox = await startSandbox({ port: sandboxPort, endpoint, signingSecret: SECRET })
  onTestFinished(sandbox.close)
  return { backend, endpoint, output: () => output }
}

describe.each([
  ['node', process.execPath, 'examples/node/backend.mjs'],
  ['python', 'python3', 'examples/python/backend.py'],
])('the example in %s', (_language, command, file) => {
  it('sends a message, receives the reply, verifies the signature and drops repeats', async () => {
    const { backend, endpoint, output } = await startBackend(command, file)
    await expect.poll(output).toContain('test: test {"text"')

    backend.stdin.write('Hello "there"\n')
    await expect.poll(output).toMatch(/tea: text \{"text": ?"You said: Hello \\"there\\""\}/)

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
    await expect.poll(output).toContain('"Once"')
    expect(output().split('"Once"')).toHaveLength(2)
    expect(output()).not.toContain('Changed')
  })
})

describe('the example with curl', () => {
  it('prints an answer with the bot’s reply in it', async () => {
    const { webhookUrl, token } = await sandboxForTest()
    const env = { ...process.env, WEBHOOK_URL: webhookUrl, TOKEN: token }
    const { stdout } = await promisify(execFile)('sh', ['examples/curl/curl.sh', 'Say "Hi" \\o/'], { env })
    expect(JSON.parse(stdout).replies.map((reply: { payload: object }) => reply.payload)).toEqual([
      { text: 'You said: Say "Hi" \\o/' },
    ])
  })
})
