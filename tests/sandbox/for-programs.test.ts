import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'

const START = ['--import', 'tsx', 'sandbox/command-line/cli.ts']

const folderForTest = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'for-programs-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

it('a program starts it with its own bot, learns how to get in, drives it and ends it', async () => {
  const folder = await folderForTest()
  const [bot, readyFile] = [join(folder, 'bot.mjs'), join(folder, 'ready.json')]
  await writeFile(
    bot,
    `export default async ({ type, payload, conversationId, userId, event }) =>
      event ? 'Event ' + type + ' ' + event.eventId : payload.text === 'silent' ? undefined : [userId + ' in ' + conversationId, { type: 'markdown', payload: { markdown: '*' + payload.text + '*' } }]`
  )
  const options = ['--port', '0', '--json', '--no-page', '--ready-file', readyFile, '--bot', bot]
  const child = spawn(process.execPath, [...START, ...options], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const printed = text(child.stdout)
  await expect.poll(() => existsSync(readyFile)).toBe(true)
  expect((await stat(readyFile)).mode & 0o777).toBe(0o600)
  const ready = await readFile(readyFile, 'utf8')
  const { webhookUrl, credential, controlUrl, pid } = JSON.parse(ready)
  expect(pid).toBe(child.pid)

  const response = await fetch(webhookUrl, {
    method: 'POST',
    headers: { authorization: `Bearer ${credential}`, prefer: 'wait=10, replies=2' },
    body: JSON.stringify({ userId: 'ada', conversationId: 'tea', messageId: 'm1', type: 'text', text: 'Hi' }),
  })
  const { replies } = (await response.json()) as { replies: { payload: object }[] }
  expect(replies.map(({ payload }) => payload)).toEqual(
    expect.arrayContaining([{ text: 'ada in tea' }, { markdown: '*Hi*' }])
  )
  const told = await fetch(`${webhookUrl}/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${credential}` },
    body: JSON.stringify({ conversationId: 'told', type: 'order_paid', eventId: 'e1' }),
  })
  expect(told.status).toBe(200)
  const { deliveries } = (await (await fetch(`${controlUrl}/deliveries?conversationId=told&count=1`)).json()) as {
    deliveries: object[]
  }
  expect(deliveries).toMatchObject([{ outcome: 'delivered', payload: { text: 'Event order_paid e1' } }])
  const { counts } = (await (await fetch(controlUrl)).json()) as { counts: object }
  expect(counts).toMatchObject({ messages: 4, received: 2 })

  const askedAt = Date.now()
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([0, null])
  expect(Date.now() - askedAt).toBeLessThan(5000)
  expect(await printed).toBe(`${ready}\n`)
  expect(existsSync(readyFile)).toBe(false)
})

it.each([
  ['without a bot', 'export const bot = 1', /^The default export of .* is not a function: a bot is one\.\n$/],
  ['that fails', 'throw new Error("boom")', /^The bot in .* could not be loaded: Error: boom\n$/],
  ['that throws anything', 'throw undefined', /^The bot in .* could not be loaded: undefined\n$/],
])('--bot refuses a module %s', async (_what, source, stderr) => {
  const bot = join(await folderForTest(), 'bot.mjs')
  await writeFile(bot, source)
  await expect(promisify(execFile)(process.execPath, [...START, '--bot', bot, '--port', '0'])).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(stderr),
  })
})

it('SIGTERM ends it within a second or so, whatever is under way; a ready file of before is no longer there', async () => {
  const folder = await folderForTest()
  const [bot, readyFile] = [join(folder, 'bot.mjs'), join(folder, 'ready.json')]
  await writeFile(bot, 'export default () => new Promise((resolve) => setTimeout(resolve, 60_000))')
  await writeFile(readyFile, '{"pid":1}')
  const options = ['--port', '0', '--json', '--no-page', '--ready-file', readyFile, '--bot', bot]
  const child = spawn(process.execPath, [...START, ...options], { stdio: 'ignore' })
  onTestFinished(() => void child.kill('SIGKILL'))
  const access = async () => JSON.parse(await readFile(readyFile, 'utf8').catch(() => '{}'))
  await expect.poll(async () => (await access()).pid).toBe(child.pid)
  const { controlUrl, webhookUrl, credential } = await access()
  const pending = fetch(`${controlUrl}/deliveries?count=5`).catch(() => 'ended')
  await fetch(webhookUrl, {
    method: 'POST',
    headers: { authorization: `Bearer ${credential}` },
    body: JSON.stringify({ userId: 'ada', conversationId: 'tea', messageId: 'm1', type: 'text', text: 'Hi' }),
  })
  const askedAt = Date.now()
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([0, null])
  expect(Date.now() - askedAt).toBeLessThan(10_000)
  await pending
})

it('a ready file that cannot be written ends it', async () => {
  const options = ['--port', '0', '--no-page', '--ready-file', join(await folderForTest(), 'none', 'ready.json')]
  await expect(promisify(execFile)(process.execPath, [...START, ...options])).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^--ready-file cannot be written: ENOENT/),
  })
})
