import { execFile } from 'node:child_process'
import type { ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import type { Browser, Page } from 'playwright-core'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { DEMO_MESSAGES } from '../../sandbox/bot/demo-messages'
import type { Sandbox, SandboxOptions } from '../../sandbox/sandbox'
import { startSandbox } from '../../sandbox/sandbox'
import { messageBody, send } from '../backend'
import { endpointForTest, sandboxForTest } from '../for-test'
import { startChromium } from './chromium'

let browser: Browser

beforeAll(async () => {
  browser = await startChromium()
  return () => browser.close()
})

const open = async (options: SandboxOptions = {}, context: Parameters<Browser['newContext']>[0] = {}) => {
  const sandbox = await sandboxForTest({ page: true, ...options })
  return { sandbox, page: await openPage(sandbox, context) }
}

const openPage = async (sandbox: Sandbox, options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> => {
  const context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'], ...options })
  onTestFinished(() => context.close())
  const page = await context.newPage()
  const asked: string[] = []
  // Nothing outside this machine is there to be asked.
  await context.route(/^https?:\/\/(?!localhost|127\.0\.0\.1)/, (route) => {
    asked.push(route.request().url())
    return route.abort()
  })
  await page.goto(new URL('/', sandbox.webhookUrl).href)
  await page.getByText('live', { exact: true }).waitFor()
  expect(asked).toEqual([])
  return page
}

const type = (page: Page, text: string) => page.getByLabel('Text', { exact: true }).fill(text)

const sendByForm = async (page: Page, text: string) => {
  await type(page, text)
  await page.getByRole('button', { name: 'Send' }).click()
}

const messages = (page: Page) => page.locator('#chat > li')

const exchanges = (page: Page, text: RegExp) => page.locator('#wire > li').filter({ hasText: text })

describe('the page', () => {
  it('sends a message by the form, and shows the reply and each request on its way', async () => {
    const { page } = await open()
    await sendByForm(page, 'Good morning')
    await messages(page).filter({ hasText: 'You said: Good morning' }).waitFor()
    await messages(page).getByText('delivered', { exact: true }).waitFor()
    expect(await messages(page).count()).toBe(2)
    for (const step of [
      /backend to webhook: POST \/webhook 200, \d+ ms/,
      /integration to Botpress: POST \/v1\/chat\/conversations\/get-or-create 200/,
      /integration to Botpress: POST \/v1\/chat\/users\/get-or-create 200/,
      /integration to Botpress: POST \/v1\/chat\/messages\/get-or-create 200/,
      /integration to endpoint: POST http:\/\/localhost:\d+\/endpoint 204/,
    ]) {
      await exchanges(page, step).last().waitFor()
    }
  })

  it('opens a request to headers and pretty JSON, the token hidden', async () => {
    const { page, sandbox } = await open()
    await sendByForm(page, 'Hello')
    const exchange = exchanges(page, /backend to webhook.* 200/).first()
    await exchange.locator('summary').click()
    await exchange.getByText('Bearer •••').waitFor()
    expect(await exchange.locator('pre').first().textContent()).toMatch(/\{\n {2}"userId": "ada",/)
    expect(await page.locator('body').textContent()).not.toContain(`Bearer ${sandbox.token}`)
  })

  it('shows at once what comes from elsewhere', async () => {
    const { page, sandbox } = await open()
    await send(sandbox, messageBody({ text: 'From a terminal' }))
    await messages(page).filter({ hasText: 'You said: From a terminal' }).waitFor()
    await exchanges(page, /backend to webhook/).waitFor()
  })

  it('shows what is undelivered with its reason, and redelivers it', async () => {
    const { page, sandbox } = await open()
    const undelivered = page.getByRole('group', { name: 'Not delivered, or perhaps' })
    expect(await undelivered.isVisible()).toBe(false)
    await page.getByLabel('The endpoint').selectOption('is down')
    await sendByForm(page, 'Good morning')
    await undelivered.getByText(/You said: Good morning: .* was not delivered in 4 tries: .* answered 503/).waitFor()
    const button = page.getByRole('button', { name: 'Redeliver what has failed' })
    await button.click()
    await page.getByText(/^Redelivered 0, not delivered 1\. The message .* answered 503/).waitFor()
    await page.getByLabel('The endpoint').selectOption('answers')
    await button.click()
    await page.getByText('Redelivered 1, not delivered 0').waitFor()
    await undelivered.waitFor({ state: 'hidden' })
    await messages(page).getByText('delivered after 6 tries').waitFor()

    const reply = sandbox.chat.messages.all().find(({ direction }) => direction === 'outgoing')!
    sandbox.chat.operations.updateMessage({ id: reply.id, tags: { delivery: 'unknown' } })
    await page.getByRole('button', { name: 'Send again what may have arrived' }).click()
    await page.getByText('Redelivered 1, not delivered 0').waitFor()
    await undelivered.waitFor({ state: 'hidden' })
  })

  it('shows what was there before it was opened', async () => {
    const sandbox = await sandboxForTest({ page: true })
    await send(sandbox, messageBody({ text: 'Early' }))
    await sandbox.settled()
    const page = await openPage(sandbox)
    await messages(page).filter({ hasText: 'You said: Early' }).waitFor()
  })

  it.each(Object.entries(DEMO_MESSAGES))('shows a message of the type %s', async (name, payload) => {
    const { page } = await open()
    await sendByForm(page, name)
    const reply = messages(page).filter({ hasText: `bot in tea, ${name}` })
    await reply.waitFor()
    const isJson = (await reply.locator('pre').count()) > 0
    expect(isJson).toBe(name === 'any')
    const words = JSON.stringify(payload).match(/Espresso|Which size|The café|menu|Open/)?.[0]
    expect(await reply.textContent()).toContain(words ?? `${Object.values(payload)[0]}`)
  })

  it('sends the value of a choice’s button', async () => {
    const { page, sandbox } = await open()
    await sendByForm(page, 'choice')
    await page.getByRole('button', { name: 'Large' }).click()
    await messages(page).filter({ hasText: 'You said: large' }).waitFor()
    const sent = sandbox.chat.messages.all().filter(({ direction }) => direction === 'incoming')
    expect(sent.at(-1)!.payload).toEqual({ text: 'large' })
  })

  it('shows each retry, and how the delivery ended', async () => {
    const { page } = await open()
    await page.getByLabel('The endpoint').selectOption('fails twice')
    await sendByForm(page, 'Again')
    await exchanges(page, /integration to endpoint: POST .* 500/)
      .first()
      .waitFor()
    await exchanges(page, /integration to endpoint, try 2: POST .* 500/).waitFor()
    await exchanges(page, /integration to endpoint, try 3: POST .* 204/).waitFor()
    await messages(page).filter({ hasText: 'delivered after 3 tries' }).waitFor()
  })

  it('shows a delivery that failed, and why', async () => {
    const { page } = await open()
    await page.getByLabel('The endpoint').selectOption('redirects')
    await sendByForm(page, 'Nowhere')
    await messages(page)
      .filter({ hasText: /not delivered: .*a redirect to/ })
      .waitFor()
  })

  it('shows an endpoint that hangs, and that the message may have arrived', { timeout: 60_000 }, async () => {
    const { page } = await open()
    await page.getByLabel('The endpoint').selectOption('hangs once')
    await sendByForm(page, 'Slow')
    await messages(page).filter({ hasText: 'being delivered' }).waitFor()
    await messages(page)
      .filter({ hasText: /may have arrived, in 1 try: .* did not answer in time/ })
      .waitFor({ timeout: 45_000 })
  })

  it.each(['429', '502'])('shows Botpress answer %s, and the calls after', async (status) => {
    const { page } = await open()
    await page.getByLabel('Botpress answers').selectOption(status)
    await page.getByLabel('for the next calls').fill('2')
    await page.getByLabel('for the next calls').blur()
    await sendByForm(page, 'Patience')
    await exchanges(page, new RegExp(`integration to Botpress: .* ${status}`))
      .first()
      .waitFor()
    await messages(page).filter({ hasText: 'You said: Patience' }).waitFor()
    expect(await exchanges(page, new RegExp(`to Botpress: .* ${status},`)).count()).toBe(2)
  })

  it('shows with --endpoint what that endpoint answered', async () => {
    const endpoint = await endpointForTest((response) => response.writeHead(418, { 'x-tea': 'pot' }).end())
    const { page } = await open({ endpoint: endpoint.url })
    await sendByForm(page, 'Tea')
    const exchange = exchanges(page, /integration to endpoint: POST .*\/bot\?key=a%20b 418/)
    await exchange.locator('summary').click()
    await exchange.getByText('x-tea').waitFor()
    expect(await page.getByLabel('The endpoint').isDisabled()).toBe(true)
  })

  it.each([
    ['the webhook', 'backend to webhook', '200'],
    ['Botpress', 'integration to Botpress: .*messages', '200'],
    ['the endpoint', 'integration to endpoint', '204'],
  ])('copies a request to %s as a curl that works when pasted', async (_what, which, status) => {
    const { page } = await open()
    await sendByForm(page, `It's "quoted" $HOME \`x\` \\ 日本語`)
    // All is answered then, and nothing drawn anew.
    await messages(page).getByText('delivered', { exact: true }).waitFor()
    const exchange = exchanges(page, new RegExp(`${which}.* ${status}`)).last()
    await exchange.locator('summary').click()
    await exchange.getByRole('button', { name: 'Copy as curl' }).click()
    await exchange.getByText('Copied').waitFor()
    const command = await page.evaluate<string>('navigator.clipboard.readText()')
    const { stdout } = await promisify(execFile)('sh', [
      '-c',
      `${command} --silent --output /dev/null --write-out '%{http_code}'`,
    ])
    expect(stdout).toBe(status)
  })

  it('makes a fresh message id each time, or repeats one on purpose', async () => {
    const { page, sandbox } = await open()
    await sendByForm(page, 'One')
    await messages(page).filter({ hasText: 'You said: One' }).waitFor()
    await page.getByLabel(/keep the message id/).check()
    await sendByForm(page, 'Two')
    await messages(page).filter({ hasText: 'You said: Two' }).waitFor()
    await sendByForm(page, 'Three')
    await expect.poll(() => exchanges(page, /backend to webhook.*200/).count()).toBe(3)
    const incoming = sandbox.chat.messages.all().filter(({ direction }) => direction === 'incoming')
    // The repeat has changed the second.
    expect(incoming.map(({ payload }) => payload.text)).toEqual(['One', 'Three'])
  })

  it('checks the payload as it is typed', async () => {
    const { page, sandbox } = await open()
    await page.getByLabel('Payload, JSON').fill('{"order":')
    await page.getByText('The payload is not JSON').waitFor()
    await page.getByLabel('Payload, JSON').fill('[1]')
    await page.getByText('not an object').waitFor()
    await page.getByRole('button', { name: 'Send' }).click()
    expect(sandbox.chat.messages.all()).toEqual([])
    await page.getByLabel('Payload, JSON').fill('{"order":7}')
    await page.getByLabel('Type').fill('order')
    await page.getByRole('button', { name: 'Send' }).click()
    await messages(page).filter({ hasText: 'You sent a message of type order.' }).waitFor()
    expect(sandbox.chat.messages.all()[0]!.payload).toEqual({ order: 7, text: 'Hello' })
  })

  it('can be used with the keyboard alone', async () => {
    const { page } = await open()
    await page.getByLabel('Text', { exact: true }).focus()
    await page.keyboard.press('ControlOrMeta+A')
    await page.keyboard.type('By keyboard')
    await page.keyboard.press('Enter')
    await messages(page).filter({ hasText: 'You said: By keyboard' }).waitFor()
    const exchange = exchanges(page, /backend to webhook/)
    await exchange.locator('summary').focus()
    await page.keyboard.press('Enter')
    await exchange.getByText('Bearer •••').waitFor()
  })

  it('has a label for each field and button', async () => {
    const { page } = await open()
    const unlabelled = await page.evaluate(`
      [...document.querySelectorAll('input, select, textarea, button')]
        .filter((field) => !field.labels?.length && !field.textContent.trim() && !field.ariaLabel)
        .map((field) => field.outerHTML)`)
    expect(unlabelled).toEqual([])
  })

  it('connects again after the sandbox was started anew', async () => {
    const first = await startSandbox({ page: true })
    const port = Number(new URL(first.webhookUrl).port)
    const page = await openPage(first)
    await first.close()
    await page.getByText('connecting again').waitFor()
    const second = await sandboxForTest({ page: true, port })
    await page.getByText('live', { exact: true }).waitFor({ timeout: 15_000 })
    await send(second, messageBody({ text: 'Back' }))
    await messages(page).filter({ hasText: 'You said: Back' }).waitFor()
  })

  it('shows the beginning of what is long, says how much is missing, and copies no half of a request', async () => {
    const { page, sandbox } = await open({ bot: () => [] })
    await send(sandbox, messageBody({ text: 'x'.repeat(100_000) }))
    await messages(page)
      .getByText(/and 34,4\d\d more characters, which are not kept here/)
      .waitFor()
    const exchange = exchanges(page, /backend to webhook.* 200/).first()
    await exchange.locator('summary').click()
    expect(await exchange.getByText(/and 3\d,\d+ more characters, which are not kept here/).count()).toBe(2)
    expect(await exchange.getByRole('button', { name: 'Copy as curl' }).isDisabled()).toBe(true)
  })

  it('shows how many instances there are, and how many are at work', async () => {
    let waiting: ServerResponse[] | undefined = []
    const endpoint = await endpointForTest((response) => waiting?.push(response) ?? response.writeHead(204).end())
    const { page, sandbox } = await open({ endpoint: endpoint.url })
    await page.getByText('1 instance, 0 at work').waitFor()
    await send(sandbox, messageBody({ text: 'burst 40' }))
    await page.getByText('4 instances, 4 at work').waitFor()
    const answers = waiting
    waiting = undefined
    for (const response of answers) response.writeHead(204).end()
    await page.getByText('4 instances, 0 at work').waitFor()
    await sandbox.settled()
  })

  it('keeps the last 500', async () => {
    const { page, sandbox } = await open({ bot: () => [] })
    for (let count = 0; count < 300; count++) await send(sandbox, messageBody({ conversationId: 'c', userId: 'u' }))
    await expect.poll(() => exchanges(page, /./).count(), { timeout: 15_000 }).toBe(500)
    await page.reload()
    await expect.poll(() => exchanges(page, /./).count(), { timeout: 15_000 }).toBe(500)
    expect(await messages(page).count()).toBe(300)
  })
})

describe('hostile text is inert', () => {
  const attack = `<script>window.hacked = 1</script><img src=x onerror="window.hacked = 2">`
  const payloads: [string, Record<string, unknown>][] = [
    ['text', { text: attack }],
    [
      'markdown',
      { markdown: `${attack} **${attack}** [${attack}](javascript:window.hacked=3) [x](javascript:window.hacked=3)` },
    ],
    ['image', { imageUrl: 'javascript:window.hacked=4' }],
    ['image', { imageUrl: `x" onerror="window.hacked=4` }],
    ['file', { fileUrl: 'javascript:window.hacked=5', title: attack }],
    [
      'card',
      {
        title: attack,
        subtitle: attack,
        actions: [{ action: 'url', label: attack, value: 'javascript:window.hacked=6' }],
      },
    ],
    ['choice', { text: attack, options: [{ label: attack, value: attack }] }],
    ['bloc', { items: 5 }],
    [attack, { [attack]: attack }],
    ['__proto__', { a: 1 }],
    ['constructor', { a: 1 }],
  ]
  it.each(payloads)('in a message of type %s: %j', async (name, payload) => {
    const { page, sandbox } = await open({ bot: () => [{ type: 'text', payload: { text: 'end' } }] })
    const { body } = await send(sandbox, messageBody({ text: attack, conversationId: attack, userId: attack }))
    await sandbox.say(body.conversation.id, { type: name, payload })
    await sandbox.say(body.conversation.id, { type: 'text', payload: { text: 'last' } })
    await messages(page).filter({ hasText: 'last' }).waitFor()
    for (const link of await page.locator('#chat a').all()) {
      expect(await link.getAttribute('href')).toMatch(/^https?:/)
    }
    expect(await page.locator('#chat script, #chat [onerror], #wire script, #wire img').count()).toBe(0)
    expect(await page.evaluate('window.hacked')).toBeUndefined()
  })
})

describe('nothing overflows', () => {
  it.each([
    ['dark', 1280, 'dark'],
    ['light and narrow', 400, 'light'],
    ['dark and narrow', 400, 'dark'],
  ] as const)('%s', async (_what, width, colorScheme) => {
    const { page } = await open({}, { viewport: { width, height: 800 }, colorScheme })
    for (const text of ['carousel', 'any', `${'long'.repeat(100)}`, 'choice']) {
      await sendByForm(page, text)
      await page.getByText('sent', { exact: true }).waitFor()
    }
    await messages(page).filter({ hasText: 'Which size?' }).waitFor()
    for (const summary of await page.locator('#wire summary').all()) await summary.click()
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width)
    const background = await page.evaluate(`getComputedStyle(document.querySelector('#chat > li')).backgroundColor`)
    expect(background).not.toBe('rgba(0, 0, 0, 0)')
    for (const name of ['Send', 'Copy as curl']) {
      const box = await page.getByRole('button', { name }).first().boundingBox()
      expect(box!.x + box!.width).toBeLessThanOrEqual(width)
    }
  })
})
