import { type ExecFileOptions, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { Webhook } from 'standardwebhooks'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { TITLES } from '../../bench/report'
import definition from '../../integration.definition'
import packageJson from '../../package.json'
import { messageBody, send } from '../harness/backend'
import { allBlocks, askedBlocks, block } from './code-blocks'
import { mustBeDocumented, mustBeDocumentedDelivery } from '../harness/documented'
import { sandboxForTest } from '../harness/for-test'
import { freePort } from '../harness/free-port'

/** A folder for a test's files, within the project for its packages. */
const folderForTest = async (): Promise<string> => {
  await mkdir('node_modules/.cache', { recursive: true })
  const folder = await mkdtemp(resolve('node_modules/.cache/docs-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

/**
 * Runs a program, with a value for its standard input.
 *
 * @returns what it prints
 * @throws Error with what it prints as errors, where it fails
 */
const run = async (command: string, args: string[], options: ExecFileOptions = {}, input?: object): Promise<string> => {
  const done = promisify(execFile)(command, args, options)
  done.child.stdin?.end(JSON.stringify(input) ?? '')
  return (await done).stdout.toString()
}

const SECRET = `whsec_${Buffer.alloc(32, 5).toString('base64')}`

/** A message as the endpoint gets it. */
const signedMessage = (text: string) => {
  const body = JSON.stringify({ type: 'text', payload: { text }, conversationId: 'tea' })
  const now = new Date()
  const headers = {
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
    'webhook-signature': new Webhook(SECRET).sign('msg_1', now, body),
  }
  return { body, headers }
}

const received = (answer: unknown) =>
  mustBeDocumented({ method: 'POST', path: '/', body: undefined, status: 200, contentType: 'application/json', answer })

describe('the commands for this repository', () => {
  it.each([['npm ci\nnpm start'], ['npm run login']])('%s: its scripts are there', async (beginning) => {
    const code = await block('README.md', beginning)
    const commands = [...code.matchAll(/npm (?:run )?([\w-]+)/g)].map(([, name]) => name!)
    expect(commands).not.toEqual([])
    expect(Object.keys({ ...packageJson.scripts, ci: '' })).toEqual(expect.arrayContaining(commands))
  })

  it('the CLI takes what deploying needs', async () => {
    const help = await run('node_modules/.bin/bp', ['deploy', '--help'])
    expect(help).toContain('-y, --confirm')
  })
})

describe('the README', () => {
  it('leads, word by word, to a backend of one’s own that passes check-backend, and through an outage', async () => {
    const folder = await folderForTest()
    const [port, backendPort] = [await freePort(), await freePort()]
    /** A block, with the ports of this test, and without the build, which other tests would run into. */
    const command = async (beginning: string) =>
      (await block('README.md', beginning))
        .replaceAll('3000', String(port))
        .replaceAll('8080', String(backendPort))
        .replace('npm start --', `exec node --import tsx sandbox/command-line/cli.ts --port ${port}`)
        .replace('npm run check-backend --', 'exec node --import tsx sandbox/command-line/cli.ts check')
        .replace('node receive.mjs', `exec node ${folder}/receive.mjs`)
    /** What runs in a terminal of its own, until Ctrl+C. */
    const inTerminal = (line: string) => {
      const shell = spawn('sh', ['-c', line], { stdio: ['ignore', 'pipe', 'inherit'] })
      onTestFinished(() => void shell.kill('SIGKILL'))
      let printed = ''
      shell.stdout.on('data', (chunk) => (printed += chunk))
      const end = async () => {
        shell.kill('SIGINT')
        await once(shell, 'exit')
      }
      return { printed: () => printed, end }
    }
    const inShell = async (beginning: string) => JSON.parse(await run('sh', ['-c', await command(beginning)]))
    const start = await command('npm start -- --endpoint')

    const first = inTerminal(start.split(' --endpoint')[0]!)
    await expect.poll(first.printed).toContain('webhook URL')
    const answer = await inShell('curl http://localhost:3000/webhook')
    received(answer)
    expect(answer.replies).toMatchObject([{ payload: { text: 'You said: Hello' } }])
    // Another instance brings the user up to date.
    const { user: _user, ...same } = answer
    expect(await inShell('curl http://localhost:3000/webhook')).toMatchObject(same)

    await writeFile(join(folder, 'receive.mjs'), await command('import { createServer }'))
    const receive = await command('SIGNING_SECRET=')
    const backend = inTerminal(receive)
    const check = await command('npm run check-backend')
    const listens = () =>
      fetch(`http://localhost:${backendPort}`).then(
        ({ status }) => status,
        () => undefined
      )
    await expect.poll(listens).toBe(401)
    const checked = await run('sh', ['-c', check])
    const shown = (await block('README.md', 'passed ')).trim().split('\n')
    // The outcome and the name of each check; the rest is not the same each time.
    const beginnings = (lines: string[]) => lines.map((line) => line.slice(0, 55).trim())
    expect(beginnings(checked.split('\n').slice(0, 2))).toEqual(beginnings(shown.slice(0, 2)))
    expect(checked.trim().split('\n').at(-1)).toBe(shown.at(-1))

    await first.end()
    const second = inTerminal(start)
    await expect.poll(second.printed).toContain('webhook URL')
    await inShell('curl http://localhost:3000/webhook')
    await expect.poll(backend.printed).toContain("tea text { text: 'You said: Hello' }")

    await backend.end()
    const target = { webhookUrl: `http://localhost:${port}/webhook`, token: 'bp_pat_sandbox' }
    await send(target, messageBody({ conversationId: 'tea', text: 'In the outage' }))
    // It is given up half a minute later, which other tests look at.
    const again = inTerminal(receive)
    await expect.poll(again.printed, { timeout: 20_000 }).toContain('You said: In the outage')
    expect(again.printed()).not.toContain('undefined')
    expect(await inShell('curl -X POST http://localhost:3000/webhook/redeliveries')).toMatchObject({ undelivered: 0 })
  })

  it('its figures are those that npm run bench prints', async () => {
    const readme = await readFile('README.md', 'utf8')
    const table = readme.slice(readme.indexOf('plain | this build'), readme.indexOf('## More'))
    const titles = [...table.matchAll(/^\| ([^|]*\S) +\|(?: +[\d.,]+ +\|){3}$/gm)].map(([, title]) => title)
    expect(titles.length).toBeGreaterThan(3)
    expect(Object.values(TITLES)).toEqual(expect.arrayContaining(titles))
    const [, lines] = (await readFile('CONTRIBUTING.md', 'utf8')).match(/the same job in (\d+) lines/)!
    expect((await readFile('bench/plain-integration.ts', 'utf8')).split('\n').length - 1).toBe(Number(lines))
  })
})

describe('the Hub’s page', () => {
  it('has no relative links: on the Hub they are dead', async () => {
    const text = await readFile('hub.md', 'utf8')
    const targets = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, target]) => target)
    expect(targets).not.toEqual([])
    expect(targets.filter((target) => !/^(https:\/\/|#)/.test(target!))).toEqual([])
  })

  it('its set-up needs no Personal Access Token', async () => {
    const text = await readFile('hub.md', 'utf8')
    const setUp = text.slice(text.indexOf('## Set-up'), text.indexOf('## Sending a message'))
    expect(setUp).toContain('openssl rand -hex 32')
    expect(setUp).not.toContain('Personal Access Token')
  })

  it('its table of payloads has the fields of each type', async () => {
    const text = await readFile('hub.md', 'utf8')
    const rows = [...text.matchAll(/^\| (`\w+`.*?) +\| (.*?) +\|$/gm)]
    for (const [type, { schema }] of Object.entries(definition.channels!.channel.messages)) {
      if (type === 'any') continue
      const [, , told = ''] = rows.findLast(([, types]) => types!.split(', ').includes(`\`${type}\``))!
      // Of what is nested, the names stand after a colon.
      const own = told.split(':')[0]!
      const fields = Object.entries((schema as unknown as { shape: Record<string, { isOptional(): boolean }> }).shape)
      const expected = fields.map(([name, field]) => (field.isOptional() ? `\`${name}\`?` : `\`${name}\``))
      for (const field of expected) expect(own, type).toContain(field)
      const others = [...own.matchAll(/`\w+`\??/g)].map(([field]) => field).filter((field) => !expected.includes(field))
      expect(
        others.filter((field) => !field.endsWith('Url`')),
        type
      ).toEqual([])
    }
  })

  it('its curl brings the reply', async () => {
    const accessKey = 'k'.repeat(64)
    const { webhookUrl } = await sandboxForTest({ accessKey })
    const command = (await block('hub.md', 'curl https://webhook.botpress.cloud/YOUR-WEBHOOK-ID \\\n'))
      .replace('https://webhook.botpress.cloud/YOUR-WEBHOOK-ID', webhookUrl)
      .replace('YOUR-ACCESS-KEY', accessKey)
    const answer = JSON.parse(await run('sh', ['-c', command]))
    expect(answer.replies[0].payload).toEqual({ text: 'You said: Hello' })
  })

  /** The parts after the webhook URL of the requests of a method that stand in the text. */
  const pathsIn = (text: string, method: string): string[] =>
    [...text.matchAll(/`([A-Z]+) \{webhook URL\}(.*?)`/g)].flatMap(([, own, path]) => (own === method ? [path!] : []))

  it('its requests tell the bot of an event, and forget what came of it', async () => {
    const accessKey = 'k'.repeat(64)
    const sandbox = await sandboxForTest({ accessKey })
    const command = (await block('hub.md', 'curl https://webhook.botpress.cloud/YOUR-WEBHOOK-ID/events'))
      .replace('https://webhook.botpress.cloud/YOUR-WEBHOOK-ID', sandbox.webhookUrl)
      .replace('YOUR-ACCESS-KEY', accessKey)
    const { event, conversation } = JSON.parse(await run('sh', ['-c', command]))
    expect(event.payload).toMatchObject({ type: 'order_paid', eventId: 'order-42-paid' })
    await sandbox.settled()
    const said = sandbox.chat.messages.all().map(({ conversationId, direction }) => [conversationId, direction])
    expect(said).toEqual([[conversation.id, 'outgoing']])
    const hub = await readFile('hub.md', 'utf8')
    const [, transcript] = hub.match(/`(\{ "transcript".*?\})`/)!
    const resumed = { conversationId: 'tea', type: 'resumed', payload: JSON.parse(transcript!) }
    expect((await send(sandbox, resumed, { path: '/events' })).status).toBe(200)
    await sandbox.settled()
    const paths = pathsIn(hub, 'DELETE')
    expect(paths).toHaveLength(2)
    for (const path of paths)
      expect(
        (await send(sandbox, undefined, { method: 'DELETE', path, authorization: `Bearer ${accessKey}` })).status
      ).toBe(204)
    const { conversations, users, messages } = sandbox.chat
    // The bot is left.
    expect([conversations.all().length, users.all().length, messages.all().length]).toEqual([0, 1, 0])
  })

  it('its message and its error are as the integration has them', async () => {
    const headers = { 'webhook-id': '', 'webhook-timestamp': '', 'user-agent': '', 'botpress-created-at': '' }
    const hub = await readFile('hub.md', 'utf8')
    const [, message, ids] = hub.match(/such as `(\{ "type".*?), … \}`, with\sBotpress's own ids in (.*?)\./s)!
    const botpressIds = [...ids!.matchAll(/`(\w+)`/g)].map(([, name]) => [name, 'id'])
    mustBeDocumentedDelivery(headers, { ...JSON.parse(`${message} }`), ...Object.fromEntries(botpressIds) })
    const [, error] = hub.match(/`(\{ "path".*?\})`/)!
    const sandbox = await sandboxForTest()
    const { body } = await send(sandbox, { ...messageBody(), userId: undefined }, { unchecked: true })
    expect(body.errors).toEqual([JSON.parse(error!)])
  })

  it('its loop that fetches messages gets each once, and goes on waiting', async () => {
    const accessKey = 'k'.repeat(64)
    const folder = await folderForTest()
    await writeFile(join(folder, 'pull.mjs'), await block('hub.md', 'const headers = {'))
    const sandbox = await sandboxForTest({ accessKey, pull: true })
    const env = { ...process.env, WEBHOOK_URL: sandbox.webhookUrl, ACCESS_KEY: accessKey }
    const child = spawn(process.execPath, [join(folder, 'pull.mjs')], { env, stdio: ['ignore', 'pipe', 'inherit'] })
    onTestFinished(() => void child.kill())
    let printed = ''
    child.stdout.on('data', (chunk) => (printed += chunk))
    for (const text of ['one', 'two']) {
      await send(sandbox, messageBody({ conversationId: 'tea', userId: 'ada', text }))
      await expect.poll(() => printed).toContain(`tea text { text: 'You said: ${text}' }\n`)
    }
    expect(printed.split('\n')).toHaveLength(3)
  })

  it('its request to catch up brings what was missed, and the answer that stands under it', async () => {
    const accessKey = 'k'.repeat(64)
    const sandbox = await sandboxForTest({ accessKey, bot: () => [] })
    const { chat } = sandbox
    const { conversation } = chat.operations.getOrCreateConversation({ channel: 'channel', tags: { id: 'tea' } })
    const userId = chat.users.all()[0]!.id
    for (let count = 0; count < 12; count++) {
      const { id } = chat.createBotMessage({ conversationId: conversation.id, userId, type: 'text', payload: {} })
      chat.operations.updateMessage({ id, tags: { delivery: 'failed' } })
    }
    const hub = await readFile('hub.md', 'utf8')
    const [path] = pathsIn(hub, 'POST')
    const [, printed] = hub.match(/`(\{ "delivered".*?\})`/)!
    const { body } = await send(sandbox, undefined, { path: path!, authorization: `Bearer ${accessKey}` })
    expect(body).toEqual(JSON.parse(printed!))
  })
})

describe('the document on security', () => {
  it('its command makes a key that lets a backend in', async () => {
    const accessKey = await run('sh', ['-c', await block('SECURITY.md', 'openssl rand -hex 32')])
    const sandbox = await sandboxForTest({ accessKey })
    expect((await send(sandbox, messageBody(), { authorization: `Bearer ${accessKey.trim()}` })).status).toBe(200)
  })

  it('its command makes a secret that registers', async () => {
    const signingSecret = await run('sh', ['-c', await block('SECURITY.md', 'echo "whsec_')])
    await expect(sandboxForTest({ signingSecret })).resolves.toBeDefined()
  })

  it('its verification in TypeScript type-checks, and takes what is from the bot, and nothing else', async () => {
    const folder = await folderForTest()
    const code = await block('SECURITY.md', 'import type { IncomingHttpHeaders }')
    await writeFile(join(folder, 'verify.mts'), code)
    const options = ['--strict', '--noUncheckedIndexedAccess', '--skipLibCheck', '--noEmit', '--types', 'node']
    const tsc = resolve('node_modules/typescript/bin/tsc')
    const args = [tsc, ...options, '--module', 'preserve', '--target', 'es2022', 'verify.mts']
    await expect(run(process.execPath, args, { cwd: folder }).catch(({ stdout }) => stdout)).resolves.toBe('')

    vi.stubEnv('SIGNING_SECRET', SECRET)
    onTestFinished(() => void vi.unstubAllEnvs())
    const { verified } = await import(/* @vite-ignore */ join(folder, 'verify.mts'))
    const { body, headers } = signedMessage('Hi')
    expect(verified(body, headers)).toMatchObject({ payload: { text: 'Hi' } })
    expect(() => verified(body.replace('Hi', 'Ho'), headers)).toThrow('No matching signature')
  })
})

it('the changelog and the package agree on the version that was released last', async () => {
  const [, version] = (await readFile('CHANGELOG.md', 'utf8')).match(/^## \[(\d.*?)\]/m)!
  expect(version).toBe(packageJson.version)
})

it('the examples name the package of the sandbox as it is packed', async () => {
  const { name, version } = JSON.parse(await readFile('sandbox/package.json', 'utf8'))
  expect(version).toBe(packageJson.version)
  expect(await readFile('examples/pytest/README.md', 'utf8')).toContain(`${name}-${version}.tgz`)
})

describe('each code block', () => {
  it('is run by a test', async () => {
    expect(askedBlocks().toSorted()).toEqual((await allBlocks()).toSorted())
  })
})
