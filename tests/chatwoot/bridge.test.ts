import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import type { Bot } from '../../sandbox/bot/bot'
import { demoMessages } from '../../sandbox/bot/demo-messages'
import type { ApiCall, Fault } from '../../sandbox/cloud/chat/chat-api'
import { startSandbox } from '../../sandbox/sandbox'
import { freePort } from '../harness/free-port'
import { hostForTest } from '../harness/host-for-test'
import { startChatwoot } from './chatwoot'

const SECRET = `whsec_${Buffer.alloc(32, 3).toString('base64')}`
const KEY = 'k'.repeat(32)
const WAIT = { timeout: 20_000 }

/** Chatwoot, the bridge, and the sandbox with a bot. */
const bridged = async (bot?: Bot, more: NodeJS.ProcessEnv = {}) => {
  const port = await freePort()
  let faultOf = (_call: ApiCall): Fault | undefined => undefined
  const chatwoot = await startChatwoot(`http://127.0.0.1:${port}/chatwoot`)
  const endpoint = `http://127.0.0.1:${port}/bot`
  const options = { endpoint, accessKey: KEY, signingSecret: SECRET, startsWithoutEndpoint: true, bot }
  const sandbox = await startSandbox({ ...options, maxInstances: 2, onApiCall: (call) => faultOf(call) })
  const folder = await mkdtemp(join(tmpdir(), 'bridge-'))
  const env = {
    ...process.env,
    ...chatwoot.env,
    WEBHOOK_URL: sandbox.webhookUrl,
    ACCESS_KEY: KEY,
    SIGNING_SECRET: SECRET,
    PORT: String(port),
    STATE_FILE: join(folder, 'state.json'),
    ...more,
  }
  let child: ChildProcess | undefined
  let errors = ''
  const start = async () => {
    child = spawn(process.execPath, ['examples/chatwoot/bridge.mjs'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    child.stderr!.on('data', (chunk) => (errors += chunk))
    await once(child.stdout!, 'data')
  }
  const end = async (signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL') => {
    child?.kill(signal)
    if (child && child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }
  onTestFinished(async () => {
    await end()
    await sandbox.close()
    await chatwoot.close()
    await rm(folder, { recursive: true })
  })
  await start()
  const heard = () => sandbox.control.received()
  const failWith = (fault: (call: ApiCall) => Fault | undefined) => void (faultOf = fault)
  return { chatwoot, sandbox, heard, start, end, failWith, errors: () => errors, endpoint, folder, env }
}

const transcriptOf = (payload: object) => (payload as { transcript: { from: string; text: string }[] }).transcript

const contents = (messages: { content: string }[]) => messages.map(({ content }) => content)

it('a conversation with a hand-over and back: the bot is silent meanwhile, and is told what was said', async () => {
  const { chatwoot, heard, errors } = await bridged(({ event, type, payload }) => {
    if (event) return `${type}: ${transcriptOf(payload).map(({ from, text }) => `${from} ${text}`)}`
    if (payload.text === 'human') return { type: 'any', payload: { type: 'handoff', text: 'A human will be with you' } }
    return `You said: ${payload.text}`
  })
  await chatwoot.userSays(1, 'Hello')
  await expect.poll(() => contents(chatwoot.said(1)), WAIT).toEqual(['You said: Hello'])
  await chatwoot.userSays(1, 'human')
  await expect.poll(() => chatwoot.statusOf(1), WAIT).toBe('open')
  await chatwoot.userSays(1, 'My order is late')
  await chatwoot.agentSays(1, 'It comes today')
  await chatwoot.agentSays(1, 'a note', { private: true })
  await chatwoot.userSays(1, '', { attachments: [{ file_type: 'image', data_url: 'https://example.com/a.png' }] })
  await chatwoot.setStatus(1, 'pending')
  await expect
    .poll(() => contents(chatwoot.said(1)).at(-1), WAIT)
    .toBe('resumed: user My order is late,agent It comes today,user https://example.com/a.png')
  await chatwoot.userSays(1, 'Thanks')
  await expect.poll(() => contents(chatwoot.said(1)).at(-1), WAIT).toBe('You said: Thanks')
  const received = await heard()
  expect(received.map(({ kind, payload }) => (kind === 'event' ? kind : (payload as { text: string }).text))).toEqual([
    'Hello',
    'human',
    'event',
    'Thanks',
  ])
  expect(received[2]).toMatchObject({ type: 'resumed', conversationId: '1', userId: '7' })
  expect(errors()).toBe('')
})

it('is told once, though the status, its webhook and the next message all say that it is pending', async () => {
  const { chatwoot, heard } = await bridged(() => undefined)
  await chatwoot.userSays(1, 'Hello')
  await chatwoot.setStatus(1, 'open')
  await chatwoot.agentSays(1, 'Hi')
  await chatwoot.setStatus(1, 'resolved')
  await chatwoot.userSays(1, 'One more thing')
  await chatwoot.setStatus(1, 'pending')
  await chatwoot.repeat()
  await chatwoot.userSays(1, 'Still there?')
  await expect.poll(async () => (await heard()).length, WAIT).toBe(3)
  const [, resumed] = await heard()
  expect(resumed!.payload).toEqual({
    transcript: [
      { from: 'agent', text: 'Hi' },
      { from: 'user', text: 'One more thing' },
    ],
  })
})

it('texts, pictures and files go both ways; choices are options, cards are cards, the rest is text', async () => {
  const { chatwoot, sandbox, heard, errors } = await bridged()
  const say = async (word: string) => {
    const before = chatwoot.said(1).length
    await chatwoot.userSays(1, word)
    await expect.poll(() => chatwoot.said(1).length, WAIT).toBeGreaterThan(before)
    return chatwoot.said(1).at(-1)!
  }
  const { espresso, menu } = { espresso: 'espresso.svg', menu: 'menu.pdf' }
  expect(await say('image')).toMatchObject({ file: { name: espresso, type: expect.stringContaining('image/svg') } })
  expect(await say('file')).toMatchObject({ content: 'The menu', file: { name: menu, type: 'application/pdf' } })
  expect(await say('audio')).toMatchObject({ file: { name: 'bell.wav' } })
  const choice = await say('choice')
  expect(choice).toMatchObject({
    content: 'Which size?',
    content_type: 'input_select',
    content_attributes: {
      items: [
        { title: 'Small', value: 'small' },
        { title: 'Large', value: 'large' },
      ],
    },
  })
  await chatwoot.choose(1, choice, 'large')
  await expect.poll(() => contents(chatwoot.said(1)).at(-1), WAIT).toBe('You said: Large')
  expect((await heard()).at(-1)).toMatchObject({ type: 'text', payload: { text: 'Large', value: 'large' } })
  const before = chatwoot.said(1).length
  await chatwoot.userSays(1, 'carousel')
  const card = (title: string) => ({ title, actions: [{ type: 'link', text: 'Read more' }] })
  const order = (title: string) => ({ title: 'Order', value: `order ${title}` })
  await expect
    .poll(() => chatwoot.said(1).slice(before), WAIT)
    .toMatchObject([
      { content_type: 'cards', content_attributes: { items: [card('Espresso')] } },
      { content: 'Espresso', content_type: 'input_select', content_attributes: { items: [order('Espresso'), {}] } },
      { content_type: 'cards', content_attributes: { items: [card('Filter coffee')] } },
      { content_type: 'input_select', content_attributes: { items: [order('Filter coffee'), {}] } },
    ])
  expect((await say('location')).content).toContain('query=45.5019,-73.5674')
  expect((await say('markdown')).content).toBe(demoMessages('')['markdown']!['markdown'])
  await say('bloc')
  const lastTwo = () => contents(chatwoot.said(1).slice(-2))
  await expect.poll(lastTwo, WAIT).toEqual(['Here we are:', expect.stringContaining('query=')])
  expect((await say('any')).content).toContain('"order"')
  const missing = { type: 'image', payload: { imageUrl: 'http://127.0.0.1:9/x.png' } }
  const { conversation } = sandbox.chat.operations.getOrCreateConversation({ channel: 'channel', tags: { id: '1' } })
  await sandbox.say(conversation.id, missing)
  await expect.poll(() => contents(chatwoot.said(1)).at(-1), WAIT).toBe('http://127.0.0.1:9/x.png')
  const tea = { type: 'card', payload: { title: 'Tea', subtitle: 'Green', actions: [] } }
  await sandbox.say(conversation.id, tea)
  await expect.poll(() => contents(chatwoot.said(1)).at(-1), WAIT).toBe('Tea\nGreen')

  await chatwoot.userSays(1, 'Look', {
    attachments: [
      { file_type: 'image', data_url: 'https://example.com/a.png' },
      { file_type: 'file', data_url: 'https://example.com/a.pdf' },
    ],
  })
  await expect.poll(async () => (await heard()).at(-1), WAIT).toMatchObject({ type: 'file' })
  expect((await heard()).slice(-3)).toMatchObject([
    { type: 'text', payload: { text: 'Look' }, userId: '7', conversationId: '1' },
    { type: 'image', payload: { imageUrl: 'https://example.com/a.png' } },
    { type: 'file', payload: { fileUrl: 'https://example.com/a.pdf' } },
  ])
  expect(sandbox.chat.users.all().map(({ name }) => name)).toContain('Ada')
  expect(errors()).toBe('')
})

it('what the bot says in a burst is shown in its order', async () => {
  const { chatwoot } = await bridged()
  await chatwoot.userSays(1, 'burst 12')
  await expect.poll(() => chatwoot.said(1).length, WAIT).toBe(12)
  expect(contents(chatwoot.said(1))).toEqual(Array.from({ length: 12 }, (_, index) => `${index + 1} of 12`))
})

it('an outage of Chatwoot and one of Botpress lose nothing, and the order stays', async () => {
  const { chatwoot, failWith, errors } = await bridged()
  await chatwoot.userSays(1, 'One')
  await expect.poll(() => chatwoot.said(1).length, WAIT).toBe(1)
  chatwoot.faults.isDown = true
  await chatwoot.userSays(1, 'Two')
  await chatwoot.userSays(1, 'Three')
  await new Promise((resolve) => setTimeout(resolve, 2000))
  expect(chatwoot.said(1)).toHaveLength(1)
  chatwoot.faults.isDown = false
  await expect
    .poll(() => contents(chatwoot.said(1)), WAIT)
    .toEqual(['You said: One', 'You said: Two', 'You said: Three'])

  failWith(({ operation }) => (operation === 'getOrCreateMessage' ? { answer: { status: 403 } } : undefined))
  // What is refused is told, and holds nothing up.
  await chatwoot.userSays(1, 'Refused')
  await expect.poll(errors, WAIT).toMatch(/\/webhook: 403 /)
  failWith(({ operation }) =>
    operation === 'getOrCreateMessage' ? { answer: { status: 429, headers: { 'retry-after': '2' } } } : undefined
  )
  await chatwoot.userSays(1, 'Four')
  await new Promise((resolve) => setTimeout(resolve, 2000))
  failWith(() => undefined)
  await expect.poll(() => contents(chatwoot.said(1)).at(-1), WAIT).toBe('You said: Four')
})

it('takes nothing that is not signed or too old, and drops repeats', async () => {
  const { chatwoot, heard } = await bridged()
  await chatwoot.userSays(1, 'Once')
  await expect.poll(() => chatwoot.said(1).length, WAIT).toBe(1)
  await chatwoot.userSays(2, 'Twice')
  expect(await chatwoot.repeat()).toBe(204)
  expect(await chatwoot.repeat((body) => body.replace('Twice', 'Forged'))).toBe(401)
  await expect.poll(() => contents(chatwoot.said(2)), WAIT).toEqual(['You said: Twice'])
  chatwoot.faults.clockOffsetMs = -10 * 60_000
  await chatwoot.userSays(2, 'Old')
  expect(await chatwoot.repeat()).toBe(401)
  chatwoot.faults.clockOffsetMs = 0
  await chatwoot.userSays(2, 'Next')
  await expect.poll(() => chatwoot.said(2).length, WAIT).toBe(2)
  expect((await heard()).map(({ payload }) => payload)).toEqual([{ text: 'Once' }, { text: 'Twice' }, { text: 'Next' }])
})

it('bears what is odd: paths, broken pictures, empty choices, attachments without a URL, long mails', async () => {
  const odd = http.createServer((_request, response) => {
    response.writeHead(200, { 'content-length': 1000 }).write('abc')
    setTimeout(() => response.destroy(), 100)
  })
  const picture = `http://${await hostForTest(odd)}/a.png`
  const buy = { title: 'Tea', actions: [{ action: 'url', label: 'Buy', value: 'https://example.com' }] }
  const { chatwoot, heard, endpoint } = await bridged(({ payload }) =>
    payload.text === 'odd'
      ? [
          { type: 'image', payload: { imageUrl: picture } },
          { type: 'choice', payload: { text: 'Which?', options: [] } },
          { type: 'carousel', payload: { items: [buy, { title: 'Water', actions: [] }] } },
          { type: 'carousel', payload: { items: [null] } },
          { type: 'any', payload: { type: 'handoff', text: 'A human comes' } },
        ]
      : undefined
  )
  for (const path of ['/toString', '/constructor'])
    expect((await fetch(new URL(path, endpoint), { method: 'POST', body: '{}' })).status).toBe(404)
  await chatwoot.userSays(1, 'odd')
  await expect.poll(() => chatwoot.statusOf(1), WAIT).toBe('open')
  const shown = [picture, 'Which?', 'Tea', 'Water', 'A human comes']
  await expect.poll(() => contents(chatwoot.said(1)), WAIT).toEqual(shown)
  await chatwoot.setStatus(1, 'pending')
  await chatwoot.userSays(1, '', { attachments: [{ file_type: 'contact', data_url: '', fallback_title: 'Bob +1' }] })
  await expect.poll(async () => (await heard()).at(-1), WAIT).toMatchObject({ payload: { text: 'Bob +1' } })
  // A long mail: the integration takes 128 KB.
  await chatwoot.userSays(1, 'é'.repeat(140_000))
  await expect.poll(async () => (await heard()).at(-1), WAIT).toMatchObject({ payload: { text: 'é'.repeat(30_000) } })
})

it('what waited while an agent took over is told later, and what comes late does not hand back', async () => {
  const { chatwoot, heard, failWith, folder, errors } = await bridged(() => undefined)
  await chatwoot.userSays(1, 'Hello')
  await expect.poll(async () => (await heard()).length, WAIT).toBe(1)
  failWith(() => ({ answer: { status: 503 } }))
  await chatwoot.userSays(1, 'One')
  await expect.poll(errors, WAIT).toMatch(/webhook: 50\d/)
  await chatwoot.userSays(1, 'Two')
  await chatwoot.setStatus(1, 'open')
  failWith(() => undefined)
  await expect.poll(() => readFile(join(folder, 'state.json'), 'utf8'), WAIT).toContain('Two')
  expect(await heard()).toHaveLength(2)
  chatwoot.faults.lateStatus = 'pending'
  await chatwoot.userSays(1, 'Late')
  chatwoot.faults.lateStatus = undefined
  await chatwoot.updateLast(1, 'pending')
  await chatwoot.setStatus(1, 'pending')
  await expect.poll(async () => (await heard()).length, WAIT).toBe(3)
  await chatwoot.agentSays(1, 'Thank you for waiting', { sender: { type: 'automation' } })
  await chatwoot.agentSays(1, 'I am here too')
  await chatwoot.userSays(1, 'Fine')
  await expect.poll(async () => (await heard()).length, WAIT).toBe(5)
  expect((await heard()).slice(1).map(({ payload }) => payload)).toEqual([
    { text: 'One' },
    {
      transcript: [
        { from: 'user', text: 'Two' },
        { from: 'user', text: 'Late' },
      ],
    },
    { transcript: [{ from: 'agent', text: 'I am here too' }] },
    { text: 'Fine' },
  ])

  // Nobody tells that the agent hands back, but the next message does.
  await chatwoot.setStatus(1, 'open')
  chatwoot.faults.losesWebhook = true
  await chatwoot.setStatus(1, 'pending')
  await chatwoot.userSays(1, 'Back')
  await expect.poll(async () => (await heard()).at(-1), WAIT).toMatchObject({ payload: { text: 'Back' } })
})

it('a transcript has 50 lines, and nothing is lost that happens while it is told', async () => {
  const { chatwoot, heard, failWith } = await bridged(() => undefined)
  await chatwoot.userSays(1, 'Hello')
  await expect.poll(async () => (await heard()).length, WAIT).toBe(1)
  await chatwoot.setStatus(1, 'open')
  for (let n = 1; n <= 60; n++) await chatwoot.agentSays(1, `${n}`)
  failWith(({ operation }) => (operation === 'createEvent' ? { delayMs: 1500 } : undefined))
  await chatwoot.setStatus(1, 'pending')
  await chatwoot.setStatus(1, 'open')
  for (let n = 61; n <= 65; n++) await chatwoot.agentSays(1, `${n}`)
  await chatwoot.setStatus(1, 'pending')
  await expect.poll(async () => (await heard()).length, WAIT).toBe(3)
  const numbers = (await heard()).slice(1).map(({ payload }) => transcriptOf(payload).map(({ text }) => Number(text)))
  expect(numbers).toEqual([Array.from({ length: 50 }, (_, index) => index + 11), [61, 62, 63, 64, 65]])

  // A human who says nothing meanwhile counts too.
  for (const status of ['open', 'pending', 'open', 'pending'] as const) await chatwoot.setStatus(2, status)
  await expect.poll(async () => (await heard()).length, WAIT).toBe(5)
  expect((await heard()).slice(3)).toMatchObject([{ payload: { transcript: [] } }, { payload: { transcript: [] } }])
})

it('what an agent says after a kill is told, though Botpress took the event before', async () => {
  const { chatwoot, heard, start, end, folder } = await bridged(() => undefined)
  const file = join(folder, 'state.json')
  await chatwoot.userSays(1, 'Hello')
  await chatwoot.setStatus(1, 'open')
  await chatwoot.agentSays(1, 'One')
  await expect.poll(() => readFile(file, 'utf8'), WAIT).toContain('One')
  const state = await readFile(file)
  await chatwoot.setStatus(1, 'pending')
  await expect.poll(async () => (await heard()).length, WAIT).toBe(2)
  await end()
  // As if it had ended before the answer.
  await writeFile(file, state)
  await start()
  await chatwoot.setStatus(1, 'open')
  await chatwoot.agentSays(1, 'Two')
  await chatwoot.setStatus(1, 'pending')
  await expect.poll(async () => (await heard()).length, WAIT).toBe(3)
  expect(transcriptOf((await heard())[2]!.payload).map(({ text }) => text)).toEqual(['One', 'Two'])
})

it('drops a repeat after a restart too; follows no redirect; takes no secret that is none', async () => {
  const { chatwoot, sandbox, start, end, errors, env } = await bridged()
  await chatwoot.userSays(1, 'Once')
  await expect.poll(() => contents(chatwoot.said(1)), WAIT).toEqual(['You said: Once'])
  await end()
  await start()
  expect(errors()).toBe('')
  expect(await chatwoot.repeat()).toBe(204)
  const { id } = sandbox.chat.messages.all().find(({ direction }) => direction === 'outgoing')!
  sandbox.chat.operations.updateMessage({ id, tags: { delivery: 'unknown' } })
  // What is older than a day may have been shown before.
  const { conversationId, userId } = sandbox.chat.messages.get(id)
  const old = sandbox.chat.createBotMessage({ conversationId, userId, type: 'text', payload: { text: 'Old' } })
  const createdAt = new Date(Date.now() - 25 * 60 * 60_000).toISOString()
  sandbox.chat.messages.put({ ...old, createdAt, tags: { delivery: 'unknown' } })
  await end()
  await start()
  for (const each of [id, old.id])
    await expect.poll(() => sandbox.chat.messages.get(each).tags['delivery'], WAIT).toBeFalsy()
  await chatwoot.userSays(1, 'Next')
  await expect.poll(() => contents(chatwoot.said(1)), WAIT).toEqual(['You said: Once', 'You said: Next'])

  chatwoot.faults.redirects = true
  await chatwoot.userSays(1, 'Moved')
  await expect.poll(errors, WAIT).toMatch(/messages: 301 /)

  const child = spawn(process.execPath, ['examples/chatwoot/bridge.mjs'], {
    env: { ...env, SIGNING_SECRET: 'whsec_…' },
  })
  let said = ''
  child.stderr.on('data', (chunk) => (said += chunk))
  await once(child, 'close')
  expect(said).toBe('Set SIGNING_SECRET (whsec_…) in the environment: see README.md beside this file.\n')
})

/** In Node's options: a clock that runs 20 times as fast. */
const FAST_CLOCK = 'data:text/javascript,const{now}=Date,start=now();Date.now=()=>start+20*(now()-start)'

it('what Chatwoot refuses, or fails on for a minute, is said as text; a hand-over that it refuses is not promised', async () => {
  const { chatwoot, sandbox, errors } = await bridged(undefined, { NODE_OPTIONS: `--import=${FAST_CLOCK}` })
  chatwoot.faults.failsOnFiles = true
  await chatwoot.userSays(2, 'file')
  await expect.poll(() => contents(chatwoot.said(2)), WAIT).toEqual([expect.stringMatching(/^The menu\nhttp.*pdf$/)])

  chatwoot.faults.refusesStatus = true
  const { id } = sandbox.chat.conversations.all()[0]!
  await sandbox.say(id, { type: 'any', payload: { type: 'handoff', text: 'A human will be with you' } })
  await expect.poll(errors, WAIT).toMatch(/toggle_status: 403/)
  await sandbox.say(id, { type: 'text', payload: { text: 'Go on' } })
  await expect.poll(() => contents(chatwoot.said(2)).slice(1), WAIT).toEqual(['Go on'])
  chatwoot.faults.refusedType = 'input_select'
  await chatwoot.userSays(1, 'choice')
  await expect.poll(() => contents(chatwoot.said(1)), WAIT).toEqual(['Which size?\nSmall\nLarge'])
})

it('passes on what it has taken before SIGTERM ends it', async () => {
  const { chatwoot, sandbox, end } = await bridged(() => undefined)
  await chatwoot.userSays(1, 'Hello')
  await expect.poll(() => sandbox.chat.conversations.all().length, WAIT).toBe(1)
  chatwoot.faults.isDown = true
  await sandbox.say(sandbox.chat.conversations.all()[0]!.id, { type: 'text', payload: { text: 'Last words' } })
  const ended = end('SIGTERM')
  await new Promise((resolve) => setTimeout(resolve, 1000))
  chatwoot.faults.isDown = false
  await ended
  expect(contents(chatwoot.said(1))).toEqual(['Last words'])
})

it('catches up when it starts, with what was said to it and what was said by humans before it ended', async () => {
  const { chatwoot, sandbox, heard, start, end, folder } = await bridged(({ event, payload }) =>
    event ? `${transcriptOf(payload).length} lines` : undefined
  )
  await chatwoot.userSays(1, 'Hello')
  await expect.poll(async () => (await heard()).length, WAIT).toBe(1)
  await chatwoot.setStatus(1, 'open')
  await chatwoot.agentSays(1, 'Hi')
  await expect.poll(() => readFile(join(folder, 'state.json'), 'utf8'), WAIT).toContain('Hi')
  await end()
  const ids = { conversationId: sandbox.chat.conversations.all()[0]!.id, userId: sandbox.chat.users.all()[0]!.id }
  for (const delivery of ['failed', 'unknown']) {
    const { id } = sandbox.chat.createBotMessage({ ...ids, type: 'text', payload: { text: delivery } })
    sandbox.chat.operations.updateMessage({ id, tags: { delivery } })
  }
  await start()
  await expect.poll(() => contents(chatwoot.said(1)).toSorted(), WAIT).toEqual(['failed', 'unknown'])
  await chatwoot.setStatus(1, 'pending')
  await expect.poll(() => contents(chatwoot.said(1)).at(-1), WAIT).toBe('1 lines')
})
