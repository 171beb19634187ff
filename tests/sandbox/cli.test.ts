import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Webhook } from 'standardwebhooks'
import { describe, expect, it, onTestFinished } from 'vitest'
import packageJson from '../../package.json'
import type { Received } from '../harness/endpoint'
import { endpointForTest } from '../harness/for-test'

const CLI = ['--import', 'tsx', 'sandbox/cli.ts']

type Outcome = { code: number; stdout: string; stderr: string }

/** Runs `npm start` without its build, to its end. */
const run = (...options: string[]): Promise<Outcome> =>
  promisify(execFile)(process.execPath, [...CLI, ...options]).then(
    (output) => ({ code: 0, ...output }),
    (error: Outcome) => error
  )

/** Runs npm, as from a terminal. */
const npm = (...args: string[]): Promise<Outcome> => {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')))
  return promisify(execFile)('npm', args, { env }).then(
    (output) => ({ code: 0, ...output }),
    (error: Outcome) => error
  )
}

/** Starts it, and resolves to the process and what it has printed once that holds `until`. */
const start = async (until: string, env: NodeJS.ProcessEnv, ...options: string[]) => {
  const child = spawn(process.execPath, [...CLI, ...options], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  await expect.poll(() => output).toContain(until)
  return { child, output: () => output, url: () => output.match(/http:\/\/localhost:\d+\/webhook/)![0] }
}

const exitOf = async (child: ChildProcess) => (await once(child, 'exit'))[0]

describe('npm start', () => {
  it('prints the webhook URL, the token, where replies go and a curl command that works when pasted', async () => {
    const endpoint = await endpointForTest()
    const { child, output } = await start('-d ', {}, '--port', '0', '--token', 'own_token', '--endpoint', endpoint.url)

    expect(output()).toMatch(/webhook URL +http:\/\/localhost:\d+\/webhook\n/)
    expect(output()).toMatch(/token +own_token\n/)
    expect(output()).toContain(`go to ${endpoint.url}`)
    const pageUrl = output().match(/page +(http:\/\/localhost:\d+\/) /)![1]!
    expect(await (await fetch(pageUrl)).text()).toContain('<title>Messaging API sandbox</title>')
    const command = output().slice(output().indexOf('\ncurl '))
    const { stdout } = await promisify(execFile)('sh', [
      '-c',
      `${command.trim()} --silent --write-out '\n%{http_code}'`,
    ])
    const [body, status] = stdout.split('\n')
    expect(status).toBe('200')
    expect(Object.keys(JSON.parse(body!)).toSorted()).toEqual(['conversation', 'message', 'replies', 'user'])
    expect(JSON.parse(body!).replies[0].payload).toEqual({ text: 'You said: Hello' })
    await expect.poll(() => endpoint.messages()).toHaveLength(1)
    expect(Object.keys(endpoint.messages()[0]!.body)).toHaveLength(6)

    child.kill('SIGINT')
    expect(await exitOf(child)).toBe(0)
  })

  it('shows the replies in the terminal where there is no endpoint, and serves no page with --no-page', async () => {
    const { output, url } = await start('-d ', {}, '--port', '0', '--no-page')
    expect(output()).toMatch(/page +none\n/)
    expect((await fetch(new URL('/', url()))).status).toBe(404)
    const response = await fetch(url(), {
      method: 'POST',
      headers: { authorization: 'Bearer bp_pat_sandbox' },
      body: JSON.stringify({ userId: 'u', conversationId: 'c', messageId: 'm', type: 'text', text: 'Look here' }),
    })
    expect(response.status).toBe(200)
    await expect.poll(output).toContain('bot: You said: Look here')
  })

  // Elsewhere another program opens pages, and none that can be exchanged.
  it.runIf(process.platform === 'linux')('--open opens the page in the browser', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'browser-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    await writeFile(join(folder, 'browser'), `#!/bin/sh\necho "$1" > ${folder}/opened\n`, { mode: 0o755 })
    const { output } = await start('-d ', { BROWSER: join(folder, 'browser') }, '--port', '0', '--open')
    const pageUrl = output().match(/page +(\S+)/)![1]!
    await expect.poll(() => readFile(join(folder, 'opened'), 'utf8').catch(() => '')).toBe(`${pageUrl}\n`)
  })

  it('--once sends one message, prints the reply and the time it took, and exits 0; at a free port', async () => {
    const server = createServer()
    // Where another program uses it, all the better.
    await new Promise((resolve) => server.once('listening', resolve).once('error', resolve).listen(3000, 'localhost'))
    onTestFinished(() => void server.close())
    expect(await run('--once')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^you: Hello\nbot: You said: Hello\nThere and back in \d+ ms\.\n$/),
    })
  })

  it('--help prints the options, and --version the version', async () => {
    const { stdout } = await run('--help')
    for (const option of [
      'port',
      'token',
      'endpoint',
      'secret',
      'instances',
      'no-page',
      'open',
      'once',
      'help',
      'version',
    ]) {
      expect(stdout).toMatch(new RegExp(`^  --${option} .*\\w`, 'm'))
    }
    expect(await run('--version')).toMatchObject({ code: 0, stdout: `${packageJson.version}\n` })
  })

  it.each([
    ['--once', '--once'],
    ['--port=3001', '--port'],
    ['--no-page', '--no-page'],
    ['--token=abc', '--token'],
  ])('%s without the -- that npm asks for is told so', async (option, named) => {
    // Without the scripts around it, which build.
    expect(await npm('start', '--ignore-scripts', option)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`npm took ${named} for an option of its own. Write: npm start -- ${named}\n`),
    })
  })

  it.each(['start', 'test'])('npm %s before npm ci says so', async (script) => {
    const folder = await mkdtemp(join(tmpdir(), 'fresh-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    await copyFile('package.json', join(folder, 'package.json'))
    expect(await npm('--prefix', folder, script)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Nothing is installed yet. Run: npm ci\n'),
    })
  })

  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'npm that ends by %s ends the sandbox',
    { timeout: 40_000 },
    async (signal) => {
      const child = spawn('npm', ['start', '--ignore-scripts', '--', '--port', '0'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let output = ''
      child.stdout.on('data', (chunk) => (output += chunk))
      await expect.poll(() => output).toContain('-d ')
      const url = output.match(/http:\/\/localhost:\d+\/webhook/)![0]
      expect((await fetch(url)).status).toBe(405)
      child.kill(signal)
      const isGone = () =>
        fetch(url).then(
          () => false,
          () => true
        )
      await expect.poll(isGone).toBe(true)
    }
  )

  it('Ctrl-C ends it at once, also while it delivers', async () => {
    const endpoint = await endpointForTest(() => {})
    const { child, output, url } = await start('-d ', {}, '--port', '0', '--endpoint', endpoint.url)
    const sent = await fetch(url(), {
      method: 'POST',
      headers: { authorization: 'Bearer bp_pat_sandbox' },
      body: JSON.stringify({ userId: 'u', conversationId: 'c', messageId: 'm', type: 'text', text: 'burst 40' }),
    })
    expect(sent.status).toBe(200)
    await expect.poll(() => endpoint.messages().length).toBe(4)
    child.kill('SIGINT')
    expect(await exitOf(child)).toBe(0)
    expect(endpoint.messages()).toHaveLength(4)
    expect(output()).not.toContain('ECONN')
  })

  it('a delivery that fails is told once', async () => {
    const endpoint = await endpointForTest((response) => response.writeHead(410).end())
    const { output, url } = await start('-d ', {}, '--port', '0', '--endpoint', endpoint.url)
    await fetch(url(), {
      method: 'POST',
      headers: { authorization: 'Bearer bp_pat_sandbox', prefer: 'wait=10, replies=1' },
      body: JSON.stringify({ userId: 'u', conversationId: 'c', messageId: 'm', type: 'text', text: 'Look here' }),
    })
    await expect.poll(output).toContain('bot, not delivered: You said: Look here (msg_')
    await expect.poll(output).toContain('answered 410')
    expect(output().split('answered 410')).toHaveLength(2)
  })

  it('--key takes a backend in, by a curl command that works when pasted', async () => {
    const key = `it's "quoted" $HOME \`x\`!`.replaceAll(' ', '_').padEnd(40, '+')
    const { output } = await start('-d ', {}, '--port', '0', '--key', key, '--key', 'another'.repeat(8))
    expect(output()).toContain(`access key    ${key}\n`)
    const command = output().slice(output().indexOf('\ncurl '))
    const { stdout } = await promisify(execFile)('sh', ['-c', `${command.trim()} --silent`])
    expect(JSON.parse(stdout).replies[0].payload).toEqual({ text: 'You said: Hello' })
    const other = command.replace(/-H '(?:[^']|'\\'')*'/, `-H 'x-bp-secret: ${'another'.repeat(8)}'`)
    const { stdout: second } = await promisify(execFile)('sh', ['-c', `${other.trim()} --silent`])
    expect(JSON.parse(second).replies).toHaveLength(1)
  })

  it('--header goes with what is sent to the endpoint, and two --secret sign it', async () => {
    const endpoint = await endpointForTest()
    const secrets = [1, 2].map((byte) => `whsec_${Buffer.alloc(32, byte).toString('base64')}`)
    const options = secrets.flatMap((secret) => ['--secret', secret])
    expect(
      await run('--once', '--endpoint', endpoint.url, '--header', 'x-api-key: abc', '--key', 'k'.repeat(32), ...options)
    ).toMatchObject({ code: 0 })
    const [{ text, headers }] = endpoint.messages() as [Received]
    expect(headers['x-api-key']).toBe('abc')
    for (const secret of secrets) {
      expect(() => new Webhook(secret).verify(text, headers as Record<string, string>)).not.toThrow()
    }
  })

  it('--instances sets how many are at work at once', async () => {
    const waiting: ServerResponse[] = []
    let answered = 0
    let most = 0
    const endpoint = await endpointForTest((response) => {
      waiting.push(response)
      most = Math.max(most, waiting.length - answered)
    })
    const { url } = await start('-d ', {}, '--port', '0', '--endpoint', endpoint.url, '--instances', '2')
    const sent = await fetch(url(), {
      method: 'POST',
      headers: { authorization: 'Bearer bp_pat_sandbox' },
      body: JSON.stringify({ userId: 'u', conversationId: 'c', messageId: 'm', type: 'text', text: 'burst 6' }),
    })
    expect(sent.status).toBe(200)
    for (; answered < 6; answered++) {
      await expect.poll(() => waiting.length).toBe(Math.min(answered + 2, 6))
      waiting[answered]!.writeHead(204).end()
    }
    expect(most).toBe(2)
  })

  it('--once exits 1 with the reason where the reply is not delivered', async () => {
    const endpoint = await endpointForTest((response) => response.writeHead(410).end())
    const outcome = await run('--once', '--port', '0', '--endpoint', endpoint.url)
    expect(outcome).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('answered 410') })
  })

  it.each([
    ['an unknown option', ['--colour'], /^Unknown option '--colour'. The options are .*\n$/],
    [
      'a key that is no key',
      ['--port', '0', '--key', 'short'],
      /^The integration refused its configuration. --key is malformed\. It is 32 to 200 visible ASCII .*\n$/,
    ],
    [
      'an endpoint that refuses registration',
      ['--once', '--endpoint', 'http://127.0.0.1:9'],
      /^The integration refused its configuration. .*ECONNREFUSED.*\n$/,
    ],
  ])('%s: one clear line, exit 1', async (_what, options, line) => {
    expect(await run(...options)).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(line) })
  })

  it('a port in use: one clear line, exit 1', async () => {
    const server = createServer().listen(0, 'localhost')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    expect(await run('--port', String(port))).toMatchObject({
      code: 1,
      stdout: '',
      stderr: `Port ${port} is in use. Choose another: npm start -- --port N\n`,
    })
  })
})
