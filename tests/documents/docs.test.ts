import { type ExecFileOptions, execFile, spawn } from 'node:child_process'
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
  it.each([['npm ci && npm start'], ['npm run bench'], ['npm run login'], ['npm ci && npm test']])(
    '%s: its scripts are there',
    async (beginning) => {
      const code = await block('README.md', beginning)
      const commands = [...code.matchAll(/npm (?:run )?([\w-]+)/g)].map(([, name]) => name!)
      expect(commands).not.toEqual([])
      expect(Object.keys({ ...packageJson.scripts, ci: '' })).toEqual(expect.arrayContaining(commands))
    }
  )

  it('the CLI takes what deploying needs', async () => {
    const help = await run('node_modules/.bin/bp', ['deploy', '--help'])
    expect(help).toContain('-y, --confirm')
  })
})

describe('the README’s first steps', () => {
  it('the curl brings the answer that is printed under it', async () => {
    const first = await block('README.md', 'npm ci && npm start')
    // One instance: another would know nothing of the user, and bring him up to date.
    const options = { accessKey: first.match(/--key (\S+)/)![1], maxInstances: 1 }
    const { webhookUrl } = await sandboxForTest(options)
    const command = (await block('README.md', 'curl http://localhost:3000/webhook')).replace(
      'http://localhost:3000/webhook',
      webhookUrl
    )
    const answer = JSON.parse(await run('sh', ['-c', command]))
    const printed = JSON.parse(await block('README.md', '{\n  "message"'))
    received(answer)
    received(printed)
    const kept = ({ message, replies }: { message: object; replies: object[] }) => [
      { ...message, id: '', createdAt: '', userId: '', conversationId: '', tags: '' },
      replies.map((reply) => ({ ...reply, botpressUserId: '', botpressMessageId: '', botpressConversationId: '' })),
    ]
    expect(kept(answer)).toEqual(kept(printed))
    // Run twice, it brings nothing new.
    expect(JSON.parse(await run('sh', ['-c', command]))).toEqual(answer)
  })

  it('the backend receives a message; the commands beside it start both', async () => {
    const folder = await folderForTest()
    const [backendPort, port] = [await freePort(), await freePort()]
    const backend = (await block('README.md', '// receive.mjs')).replace('8080', String(backendPort))
    await writeFile(join(folder, 'receive.mjs'), backend)
    const check = (await block('README.md', 'npm run check-backend'))
      .replace('8080', String(backendPort))
      .replace('npm run check-backend --', 'node --import tsx sandbox/command-line/cli.ts check')
      .trim()
    const commands = (await block('README.md', 'export SIGNING_SECRET'))
      .replace('receive.mjs', join(folder, 'receive.mjs'))
      .replace('8080', String(backendPort))
      // Without the build, which other tests would run into.
      .replace(
        'npm start --',
        `${check} > ${folder}/checked; exec node --import tsx sandbox/command-line/cli.ts --port ${port}`
      )
    const shell = spawn('sh', ['-c', commands], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] })
    onTestFinished(() => void process.kill(-shell.pid!, 'SIGKILL'))
    let output = ''
    shell.stdout.on('data', (chunk) => (output += chunk))
    await expect.poll(() => output).toContain('webhook URL')

    // The outcome and the name of each check; the rest is not the same each time.
    const shown = (lines: string) => lines.split('\n').map((line) => line.slice(0, 55).trim())
    const checked = await readFile(join(folder, 'checked'), 'utf8')
    expect(shown(checked)).toEqual(shown(await block('README.md', 'passed ')))

    // One that breaks off does not end it.
    const aborted = new AbortController()
    const broken = fetch(`http://localhost:${backendPort}`, {
      method: 'POST',
      body: new ReadableStream({ pull: () => void setTimeout(() => aborted.abort(), 100) }),
      duplex: 'half',
      signal: aborted.signal,
    } as RequestInit)
    await expect(broken).rejects.toThrow(/abort/)
    const target = { webhookUrl: `http://localhost:${port}/webhook`, token: 'bp_pat_sandbox' }
    expect((await send(target, messageBody({ conversationId: 'tea', text: 'Look' }))).status).toBe(200)
    await expect.poll(() => output).toContain("tea text { text: 'You said: Look' }")
    expect(output).not.toContain('undefined')

    const read = (await block('README.md', "curl 'http://localhost:3000/webhook/messages")).replace(
      '3000',
      String(port)
    )
    expect(JSON.parse(await run('sh', ['-c', read])).messages).toHaveLength(2)
    const redeliver = (await block('README.md', 'curl -X POST http://localhost:3000/webhook/redeliveries')).replace(
      '3000',
      String(port)
    )
    expect(JSON.parse(await run('sh', ['-c', redeliver]))).toEqual({ delivered: 0, undelivered: 0, more: false })
  })

  it('the table of figures is what npm run bench prints, row by row', async () => {
    const readme = await readFile('README.md', 'utf8')
    const table = readme.slice(readme.indexOf('plain | this build'), readme.indexOf('A later message is one of'))
    const titles = [...table.matchAll(/^\| ([^|]*\S) +\|(?: +[\d.,]+ +\|){3}$/gm)].map(([, title]) => title)
    expect(titles).toEqual(Object.values(TITLES))
  })

  it('the diagram is one', async () => {
    expect(await block('README.md', 'sequenceDiagram')).toMatch(/participant B as Your backend/)
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
    const rows = new Map([...text.matchAll(/^\| `(\w+)` +\| (`.*?) +\|/gm)].map(([, type, fields]) => [type!, fields!]))
    for (const [type, { schema }] of Object.entries(definition.channels!.channel.messages)) {
      if (type === 'any') continue
      // Of what is nested, the names stand after a colon.
      const own = rows.get(type)!.split(':')[0]!
      const fields = Object.entries((schema as unknown as { shape: Record<string, { isOptional(): boolean }> }).shape)
      const expected = fields.map(([name, field]) => (field.isOptional() ? `\`${name}\`?` : `\`${name}\``))
      expect([type, own.split(', ')]).toEqual([type, expected])
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

  it('its commands tell the bot of an event, and forget what came of it', async () => {
    const accessKey = 'k'.repeat(64)
    const sandbox = await sandboxForTest({ accessKey })
    const runHere = async (beginning: string) => {
      const command = (await block('hub.md', beginning))
        .replaceAll('https://webhook.botpress.cloud/YOUR-WEBHOOK-ID', sandbox.webhookUrl)
        .replaceAll('YOUR-ACCESS-KEY', accessKey)
      return run('sh', ['-c', command])
    }
    const told = await runHere('curl https://webhook.botpress.cloud/YOUR-WEBHOOK-ID/events')
    const { event, conversation } = JSON.parse(told)
    expect(event.payload).toMatchObject({ type: 'order_paid', eventId: 'order-42-paid' })
    await sandbox.settled()
    const said = sandbox.chat.messages.all().map(({ conversationId, direction }) => [conversationId, direction])
    expect(said).toEqual([[conversation.id, 'outgoing']])
    const resumed = JSON.parse(await block('hub.md', '{\n  "conversationId"'))
    expect((await send(sandbox, resumed, { path: '/events' })).status).toBe(200)
    await sandbox.settled()
    expect(await runHere('curl -X DELETE')).toBe('')
    const { conversations, users, messages } = sandbox.chat
    // The bot is left.
    expect([conversations.all().length, users.all().length, messages.all().length]).toEqual([0, 1, 0])
  })

  it('its messages and errors are as openapi.json has them', async () => {
    const headers = { 'webhook-id': '', 'webhook-timestamp': '', 'user-agent': '', 'botpress-created-at': '' }
    mustBeDocumentedDelivery(headers, JSON.parse(await block('hub.md', '{\n  "type": "text"')))
    const exchange = { method: 'GET', path: '/messages', body: undefined, status: 200, contentType: 'application/json' }
    mustBeDocumented({ ...exchange, answer: JSON.parse(await block('hub.md', '{\n  "messages"')) })
    const problem = JSON.parse(await block('hub.md', '{\n  "title"'))
    mustBeDocumented({ ...exchange, status: 400, contentType: 'application/problem+json', answer: problem })
    const sandbox = await sandboxForTest()
    const { body } = await send(sandbox, { conversationId: 'tea', messageId: '1', type: 'text' })
    expect(problem).toEqual(body)
  })

  it('its verification in JavaScript takes what is from the bot, and nothing else', async () => {
    const folder = await folderForTest()
    const code = await block('hub.md', 'import { Webhook }')
    const wrapped = `import { text } from 'node:stream/consumers'\nconst { body, headers } = JSON.parse(await text(process.stdin))\nconst request = { headers }\n${code}\nconsole.log('verified')\n`
    await writeFile(join(folder, 'verify.mjs'), wrapped)
    const env = { ...process.env, SIGNING_SECRET: SECRET }
    const verify = (message: object) => run(process.execPath, [join(folder, 'verify.mjs')], { env }, message)
    const message = signedMessage('Hi')
    await expect(verify(message)).resolves.toBe('verified\n')
    await expect(verify({ ...message, body: message.body.replace('Hi', 'Ho') })).rejects.toThrow(
      'No matching signature'
    )
  })

  it('its verification in Python takes what is from the bot, and nothing else', async () => {
    const folder = await folderForTest()
    const code = await block('hub.md', 'import base64')
    const wrapped = `${code}\nimport json, sys\nmessage = json.load(sys.stdin)\nprint(is_from_bot(message["headers"], message["body"].encode()))\n`
    await writeFile(join(folder, 'verify.py'), wrapped)
    const env = { ...process.env, SIGNING_SECRET: SECRET }
    const verify = (message: object) => run('python3', [join(folder, 'verify.py')], { env }, message)
    const message = signedMessage('naïve')
    await expect(verify(message)).resolves.toBe('True\n')
    await expect(verify({ ...message, body: message.body.replace('naïve', 'naive') })).resolves.toBe('False\n')
    await expect(verify({ ...message, headers: {} })).resolves.toBe('False\n')
    for (const hostile of [{ 'webhook-signature': 'v1,é' }, { 'webhook-timestamp': '²' }]) {
      await expect(verify({ ...message, headers: { ...message.headers, ...hostile } })).resolves.toBe('False\n')
    }
  })

  it('its loop that fetches messages gets each once, and goes on waiting', async () => {
    const accessKey = 'k'.repeat(64)
    const folder = await folderForTest()
    await writeFile(join(folder, 'pull.mjs'), await block('hub.md', 'let taken = []'))
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

  it('its command to catch up brings what was missed, and the answer that is printed under it', async () => {
    const accessKey = 'k'.repeat(64)
    const { webhookUrl, chat } = await sandboxForTest({ accessKey, bot: () => [] })
    const { conversation } = chat.operations.getOrCreateConversation({ channel: 'channel', tags: { id: 'tea' } })
    const userId = chat.users.all()[0]!.id
    for (let count = 0; count < 12; count++) {
      const { id } = chat.createBotMessage({ conversationId: conversation.id, userId, type: 'text', payload: {} })
      chat.operations.updateMessage({ id, tags: { delivery: 'failed' } })
    }
    const command = (await block('hub.md', 'curl -X POST https://webhook.botpress.cloud'))
      .replace('https://webhook.botpress.cloud/YOUR-WEBHOOK-ID', webhookUrl)
      .replace('YOUR-ACCESS-KEY', accessKey)
    const printed = JSON.parse(await block('hub.md', '{ "delivered"'))
    expect(JSON.parse(await run('sh', ['-c', command]))).toEqual(printed)
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

it('the README’s lines for CI install the package as it is packed, and call it by its bin', async () => {
  const { name, version: packed, bin } = JSON.parse(await readFile('sandbox/package.json', 'utf8'))
  const [install, check] = (await block('README.md', 'npm install --no-save')).split('\n')
  expect(install).toBe(`npm install --no-save ./${name}-${packed}.tgz`)
  expect(check).toMatch(new RegExp(`^npx ${Object.keys(bin)[0]} check --endpoint http`))
})

describe('each code block', () => {
  it('is run by a test', async () => {
    expect(askedBlocks().toSorted()).toEqual((await allBlocks()).toSorted())
  })
})
