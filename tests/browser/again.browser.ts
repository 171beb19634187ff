import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { messageBody, send } from '../harness/backend'
import { endpointForTest } from '../harness/for-test'
import { announced, clipboard, messages, open, openTrace, said, sendByForm, steps, traces } from './inspector'

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

/** Runs the copied command as a script, as a shell does what is pasted. */
const runCopied = async (page: Page) => {
  const path = `/tmp/copied-${process.pid}-${Math.random()}.sh`
  const command = await clipboard(page)
  await writeFile(path, `${command} --silent --output /dev/null --write-out '%{http_code}'`)
  const { stdout } = await promisify(execFile)('sh', [path])
  return { command, status: stdout }
}

const copyAsCurl = async (page: Page) => {
  await page.getByRole('button', { name: 'Copy as curl' }).first().click()
  await announced(page, 'Copied the request as curl')
}

describe('a request is made again', () => {
  it('by replaying it: it is the same message, and marked as a repeat', async () => {
    const { page, sandbox } = await open()
    await send(sandbox, messageBody({ text: 'Once' }))
    await openTrace(page, /Once.*delivered/)
    await steps(page, /^backend/).click()
    await page.getByRole('button', { name: 'Replay' }).click()
    await traces(page, /Once.*repeat, 2 requests/).waitFor()
    await expect.poll(() => steps(page, /^backend.*200/).count()).toBe(2)
    expect(sandbox.chat.messages.all()).toHaveLength(2)
  })

  it('by replaying it with a credential that was wrong, which stays wrong', async () => {
    const { page, sandbox } = await open()
    await send(sandbox, messageBody({ text: 'Let me in' }), { authorization: 'Bearer made_up' })
    await openTrace(page, /Let me in.*refused.*40\d/)
    await page.keyboard.press('r')
    await traces(page, /Let me in.*refused.*repeat, 2 requests/).waitFor()
    expect(sandbox.chat.messages.all()).toEqual([])
  })

  it('by editing and sending it', async () => {
    const { page, sandbox } = await open()
    await send(sandbox, messageBody({ text: 'Draft', user: { name: 'Ada' } }))
    await openTrace(page, /Draft.*delivered/)
    await steps(page, /^backend/).click()
    await page.getByRole('button', { name: 'Edit and send' }).click()
    const dialog = page.getByRole('dialog', { name: 'Edit and send' })
    const body = dialog.getByLabel('Body')
    // Under the old id it would be a repeat, and dropped.
    await body.fill((await body.inputValue()).replace('Draft', 'Changed'))
    await dialog.getByRole('button', { name: 'Send it' }).click()
    await said(page, 'You said: Changed').waitFor()
    await page.getByRole('button', { name: 'Edit and send' }).click()
    await body.fill('{')
    await dialog.getByRole('button', { name: 'Send it' }).click()
    await dialog
      .getByRole('alert')
      .getByText(/^400: .*JSON/)
      .waitFor()
    await body.fill(JSON.stringify(messageBody({ text: 'Fair copy', conversationId: 'tea' })))
    await page.keyboard.press('Control+Enter')
    await dialog.waitFor({ state: 'hidden' })
    await said(page, 'You said: Fair copy').waitFor()
  })

  it('by redelivering a message, with a fresh timestamp and signature', async () => {
    const endpoint = await endpointForTest()
    const { page } = await open({ endpoint: endpoint.url, signingSecret: SECRET })
    await sendByForm(page, 'Hello')
    await openTrace(page, /Hello.*delivered/)
    // Timestamps are whole seconds.
    await expect
      .poll(() => Date.now() / 1000)
      .toBeGreaterThan(Number(endpoint.messages()[0]!.headers['webhook-timestamp']) + 1.1)
    await page.getByRole('button', { name: 'Redeliver the reply' }).click()
    await expect.poll(() => endpoint.messages().length).toBe(2)
    const [first, second] = endpoint.messages()
    expect(second!.body).toEqual(first!.body)
    expect(second!.headers['webhook-id']).toBe(first!.headers['webhook-id'])
    for (const name of ['webhook-timestamp', 'webhook-signature']) {
      expect(second!.headers[name]).not.toBe(first!.headers[name])
    }
    await steps(page, /^endpointredelivery, try 1/).click()
    await page.getByText('✓ signature verified').waitFor()
  })

  it('to the webhook, Botpress and the endpoint by a curl that works when it is pasted', async () => {
    const { page } = await open()
    await sendByForm(page, `It's "quoted" $HOME \`x\` \\ 日本語 @file [1] {a,b}`)
    await openTrace(page, /quoted.*delivered/)
    for (const [step, status] of [
      [/^endpointtry 1/, '204'],
      [/^BotpressPOST \/messages/, '200'],
      [/^backend/, '200'],
    ] as const) {
      await steps(page, step).click()
      await copyAsCurl(page)
      expect(await runCopied(page), String(step)).toMatchObject({ status })
    }
  })

  it('by a curl whose URL has brackets and whose body begins with an @', async () => {
    const { page, sandbox } = await open()
    await send(sandbox, '@/etc/hostname', { path: '/?a[0]={b,c}', unchecked: true })
    await openTrace(page, 'POST')
    await copyAsCurl(page)
    const { command, status } = await runCopied(page)
    expect(status).toBe('400')
    expect(command).toContain(`--data-raw '@/etc/hostname'`)
    await traces(page, 'POST').nth(1).click()
    await page.getByText('@/etc/hostname').first().waitFor()
  })

  it('by a curl whose body is too long for a command line, through a file', async () => {
    const { page, sandbox } = await open({ bot: () => [] })
    await send(sandbox, messageBody({ text: `It's ${'x'.repeat(125_000)}` }))
    await openTrace(page, /xxx.*taken/)
    await steps(page, /^backend/).click()
    await copyAsCurl(page)
    const { command, status } = await runCopied(page)
    expect(status).toBe('200')
    expect(command).toContain('mktemp')
    // The body was the same: it is the same message.
    await traces(page, /repeat, 2 requests/).waitFor()
  })

  it('by a curl whose wrong credential stays wrong', async () => {
    const { page, sandbox } = await open()
    await send(sandbox, messageBody({ text: 'Let me in' }), { authorization: 'Bearer made_up' })
    await openTrace(page, 'Let me in')
    await copyAsCurl(page)
    const { status, command } = await runCopied(page)
    expect(status).toMatch(/40[13]/)
    expect(command).not.toContain(sandbox.token)
  })
})

it('what is not kept whole is not made again, and says so', async () => {
  const { page, sandbox } = await open()
  const long = { ...messageBody({ type: 'any' }), payload: { text: 'x'.repeat(1_100_000) } }
  await send(sandbox, long, { unchecked: true })
  await openTrace(page, /\b413\b/)
  const words = (what: string) =>
    page.locator('#detail').getByText(new RegExp(`^${what}: the body is too long, [\\d,]+`))
  for (const what of ['Copy as curl', 'Replay', 'Edit and send']) {
    await page.getByRole('button', { name: what }).first().click()
    await words(what).waitFor()
  }
  await page.getByRole('button', { name: /^Show all, / }).click()
  await page.getByText(/characters more are not kept/).waitFor()
})

describe('a trace is taken along', () => {
  it('as JSON', async () => {
    const { page } = await open()
    await sendByForm(page, 'Hello')
    await openTrace(page, /Hello.*delivered/)
    await steps(page, /^bot/).click()
    await page.getByRole('button', { name: 'Copy JSON' }).click()
    await announced(page, 'Copied payload')
    expect(JSON.parse(await clipboard(page))).toEqual({ text: 'You said: Hello' })
  })

  it('as an HTTP Archive, bodies whole and without a credential', async () => {
    const { page, sandbox } = await open({ bot: () => [{ type: 'text', payload: { text: 'y'.repeat(50_000) } }] })
    await send(sandbox, messageBody({ text: 'Hello' }))
    await openTrace(page, /Hello.*delivered/)
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download as HAR' }).click(),
    ])
    const text = await readFile(await download.path(), 'utf8')
    const { log } = JSON.parse(text)
    expect(log.version).toBe('1.2')
    const entries = log.entries.map(({ request: { method, url }, response: { status } }: any) => [
      method,
      new URL(url).pathname,
      status,
    ])
    expect(entries).toContainEqual(['POST', '/webhook', 200])
    expect(entries).toContainEqual(['POST', '/endpoint', 204])
    expect(entries.length).toBe((await steps(page).count()) - 1)
    expect(text).toContain('y'.repeat(50_000))
    expect(text).not.toContain(sandbox.token)
    expect(await messages(page).count()).toBe(2)
  })
})
