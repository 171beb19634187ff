import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Webhook } from 'standardwebhooks'
import { afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import packageJson from '../../package.json'
import { type Endpoint, startEndpoint } from '../harness/endpoint'
import { endpointForTest } from '../harness/for-test'

const CLI = ['--import', 'tsx', 'sandbox/command-line/cli.ts']

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

type Answer = { replies: { botpressMessageId: string }[] }

type Running = { child: ChildProcess; output: () => string; url: string }

/** Starts it, and resolves when it has printed all of its introduction. */
const start = async (options: string[], env: NodeJS.ProcessEnv = {}): Promise<Running> => {
  const child = spawn(process.execPath, [...CLI, '--port', '0', ...options], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  await vi.waitFor(() => expect(output).toContain('-d '), { timeout: 60_000 })
  return { child, output: () => output, url: output.match(/http:\/\/localhost:\d+\/webhook/)![0] }
}

const startForTest = async (...args: Parameters<typeof start>) => {
  const running = await start(...args)
  onTestFinished(() => void running.child.kill('SIGKILL'))
  return running
}

/** Sends the bot a text, and waits for its replies. */
const say = (text: string, { url }: Running, token = 'bp_pat_sandbox') =>
  fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, prefer: 'wait=10, replies=1' },
    body: JSON.stringify({ userId: 'u', conversationId: 'c', messageId: randomUUID(), type: 'text', text }),
  })

describe('npm start, with an endpoint and all options that suit one', () => {
  const keys = [`it's "quoted" $HOME \`x\`!`.replaceAll(' ', '_').padEnd(40, '+'), 'another'.repeat(8)]
  const secrets = [1, 2].map((byte) => `whsec_${Buffer.alloc(32, byte).toString('base64')}`)
  const take = (response: ServerResponse) => void response.writeHead(204).end()
  let respond = take
  let endpoint: Endpoint
  let running: Running

  beforeAll(async () => {
    endpoint = await startEndpoint((response) => respond(response))
    const named = { token: 'own_token', endpoint: endpoint.url, header: 'x-api-key: abc', instances: '2' }
    const options = Object.entries(named).concat(
      keys.map((key) => ['key', key]),
      secrets.map((secret) => ['secret', secret])
    )
    running = await start(options.flatMap(([name, value]) => [`--${name}`, value]))
    return () => {
      running.child.kill('SIGKILL')
      return endpoint.close()
    }
  })

  afterEach(() => void (respond = take))

  /** What the endpoint received of an answer's first reply. */
  const delivered = ({ replies: [reply] }: Answer) => {
    const find = () => endpoint.messages().find(({ body }) => body.botpressMessageId === reply!.botpressMessageId)
    return vi.waitUntil(find, { timeout: 60_000 })
  }

  it('prints the webhook URL, the access key, the token, where replies go, and a page that is there', async () => {
    const { output } = running
    expect(output()).toMatch(/webhook URL +http:\/\/localhost:\d+\/webhook\n/)
    expect(output()).toContain(`access key    ${keys[0]}\n`)
    expect(output()).toMatch(/token +own_token\n/)
    expect(output()).toContain(`go to ${endpoint.url}`)
    const pageUrl = output().match(/page +(http:\/\/localhost:\d+\/) /)![1]!
    expect(await (await fetch(pageUrl)).text()).toContain('<title>Messaging API sandbox</title>')
  })

  it('prints a curl command that works when pasted; the other --key takes a backend in too', async () => {
    const command = running.output().slice(running.output().indexOf('\ncurl ')).trim()
    const other = command.replace(/-H '(?:[^']|'\\'')*'/, `-H 'x-bp-secret: ${keys[1]}'`)
    for (const line of [command, other]) {
      const { stdout } = await promisify(execFile)('sh', ['-c', `${line} --silent`])
      const answer = JSON.parse(stdout)
      expect(Object.keys(answer).toSorted()).toEqual(['conversation', 'message', 'replies', 'user'])
      expect(answer.replies[0].payload).toEqual({ text: 'You said: Hello' })
      await delivered(answer)
    }
  })

  it('--header goes with what is sent to the endpoint, and two --secret sign it', async () => {
    const answer = (await (await say('Hello', running, 'own_token')).json()) as Answer
    const { text, body, headers } = await delivered(answer)
    expect(Object.keys(body)).toHaveLength(6)
    expect(headers['x-api-key']).toBe('abc')
    for (const secret of secrets) {
      expect(() => new Webhook(secret).verify(text, headers as Record<string, string>)).not.toThrow()
    }
  })

  it('--instances sets how many are at work at once', async () => {
    const waiting: ServerResponse[] = []
    let answered = 0
    let most = 0
    respond = (response) => {
      waiting.push(response)
      most = Math.max(most, waiting.length - answered)
    }
    expect((await say('burst 6', running, 'own_token')).status).toBe(200)
    for (; answered < 6; answered++) {
      await expect.poll(() => waiting.length).toBe(Math.min(answered + 2, 6))
      take(waiting[answered]!)
    }
    expect(most).toBe(2)
  })

  it('a delivery that fails is told once', async () => {
    respond = (response) => void response.writeHead(410).end()
    await say('Look here', running, 'own_token')
    await expect.poll(running.output).toContain('bot, not delivered: You said: Look here (msg_')
    await expect.poll(running.output).toContain('answered 410')
    expect(running.output().split('answered 410')).toHaveLength(2)
  })

  it('Ctrl-C ends it at once, also while it delivers', async () => {
    const waiting: ServerResponse[] = []
    respond = (response) => void waiting.push(response)
    expect((await say('burst 40', running, 'own_token')).status).toBe(200)
    await expect.poll(() => waiting).toHaveLength(2)
    running.child.kill('SIGINT')
    expect(await once(running.child, 'exit')).toEqual([0, null])
    expect(waiting).toHaveLength(2)
    expect(running.output()).not.toContain('ECONN')
  })
})

describe('npm start', () => {
  it('shows the replies in the terminal where there is no endpoint, and serves no page with --no-page', async () => {
    const running = await startForTest(['--no-page'])
    expect(running.output()).toMatch(/access key +none; npm start -- --key KEY takes one\n/)
    expect(running.output()).toMatch(/page +none\n/)
    expect((await fetch(new URL('/', running.url))).status).toBe(404)
    expect((await say('Look here', running)).status).toBe(200)
    await expect.poll(running.output).toMatch(/^\d\d:\d\d:\d\d +c +backend → bot +200 +\d+ ms +Look here$/m)
    await expect.poll(running.output).toMatch(/^\d\d:\d\d:\d\d +c +bot → endpoint +204 +\d+ ms +You said: Look here$/m)
    expect((await say('No', running, 'unknown')).status).toBe(401)
    await expect.poll(running.output).toMatch(/backend → bot +401 +\d+ ms +No +Botpress does not know the token\./)
  })

  // Elsewhere another program opens pages, and none that can be exchanged.
  it.runIf(process.platform === 'linux')('--open opens the page in the browser', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'browser-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    await writeFile(join(folder, 'browser'), `#!/bin/sh\necho "$1" > ${folder}/opened\n`, { mode: 0o755 })
    const { output } = await startForTest(['--open'], { BROWSER: join(folder, 'browser') })
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

  it('an option without the -- that npm asks for is told so', async () => {
    // Without the scripts around it, which build.
    expect(await npm('start', '--ignore-scripts', '--token=abc')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('npm took --token for an option of its own. Write: npm start -- --token\n'),
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

  it('--pull: the printed curl fetches the reply, and so does the chat in a terminal, also when it was down meanwhile', async () => {
    const { output } = await startForTest(['--pull', '--no-page'])
    await expect.poll(output).toContain('chat.mjs')
    expect(output()).toMatch(/replies +wait until they are fetched/)
    const [send, pull] = output().match(/^curl .*(?:\n  .*)+/gm)!
    const curl = async (command: string) =>
      JSON.parse((await promisify(execFile)('sh', ['-c', `${command} --silent`])).stdout)
    await curl(send!)
    expect((await curl(pull!)).messages).toMatchObject([{ payload: { text: 'You said: Hello' } }])
    const chat = (words: string) => {
      const child = spawn('sh', ['-c', `exec env ${output().match(/^WEBHOOK_URL=.*$/m)![0]}`], {
        stdio: ['pipe', 'pipe', 'inherit'],
      })
      onTestFinished(() => void child.kill())
      let shown = ''
      child.stdout.on('data', (chunk) => (shown += chunk))
      child.stdin.write(words)
      return { child, shown: () => shown }
    }
    const first = chat('Are you\nthere?\n')
    await expect.poll(first.shown).toContain('bot: You said: Are you\nbot: You said: there?\n')
    expect(first.shown()).toContain('bot: You said: Hello\n')
    first.child.kill('SIGKILL')
    await once(first.child, 'exit')
    // Within one second, it would have the same id.
    await curl(send!.replaceAll('Hello', 'Missed').replace('date +%s', 'date +%s%N'))
    await expect.poll(chat('').shown).toContain('bot: You said: Missed\n')
  })

  it('begins at the top of a terminal, without what npm and the build have told', async () => {
    const inTerminal = 'import pty, sys; pty.spawn(sys.argv[1:])'
    const child = spawn('python3', ['-c', inTerminal, 'npm', 'start', '--ignore-scripts', '--', '--port', '0'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    onTestFinished(() => void child.kill())
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    await expect.poll(() => output).toContain('-d ')
    expect(output).toContain('> messaging-api@')
    expect(output.split('\x1b[0J').at(-1)).not.toMatch(/> messaging-api@|Botpress CLI/)
  })

  it('--once exits 1 with the reason where the reply is not delivered', async () => {
    const endpoint = await endpointForTest((response) => response.writeHead(410).end())
    const outcome = await run('--once', '--port', '0', '--endpoint', endpoint.url)
    expect(outcome).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('answered 410') })
  })

  it.each([
    [
      '--pull with an endpoint',
      ['--pull', '--endpoint', 'http://localhost:1'],
      /^--pull and --endpoint exclude each other: .*\n$/,
    ],
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
