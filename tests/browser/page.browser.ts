import { execFile } from 'node:child_process'
import type { ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { startSandbox } from '../../sandbox/sandbox'
import { messageBody, send } from '../harness/backend'
import { endpointForTest, sandboxForTest } from '../harness/for-test'
import {
  announced,
  clipboard,
  letEndpoint,
  messages,
  open,
  openPage,
  openTrace,
  said,
  sendByForm,
  showPane,
  steps,
  traces,
} from './inspector'

describe('the first screen', () => {
  it('teaches the first message: the steps tick themselves off when it arrives', async () => {
    const { page, sandbox } = await open({ accessKey: 'an-access-key-to-try-things-out-with' })
    const done = page.locator('.first-steps .done')
    expect(await done.count()).toBe(0)
    await send(sandbox, messageBody(), { authorization: 'Bearer wrong' })
    await expect.poll(() => done.allTextContents()).toEqual([expect.stringContaining('The first request arrives')])
    await page.getByRole('button', { name: 'Copy the snippet' }).click()
    await announced(page, 'Copied the snippet')
    const { stdout } = await promisify(execFile)('sh', ['-c', `${await clipboard(page)} --silent`])
    expect(JSON.parse(stdout).replies).toHaveLength(1)
    await expect.poll(() => done.count()).toBe(3)
    await said(page, 'You said: Hello').click()
    await page.keyboard.press('Escape')
    await page.getByRole('heading', { name: 'No trace is open' }).waitFor()
    await page.getByRole('button', { name: 'Show the first steps' }).click()
    expect(await done.count()).toBe(4)
    await page.getByRole('button', { name: 'Dismiss' }).click()
    await page.getByRole('heading', { name: 'No trace is open' }).waitFor()
  })

  it('leads from its own curl to why a delivery was tried three times', async () => {
    const { page } = await open()
    await letEndpoint(page, 'answer 500')
    await page.getByRole('button', { name: 'Copy the snippet' }).click()
    await announced(page, 'Copied the snippet')
    await promisify(execFile)('sh', ['-c', `${await clipboard(page)} --silent`])
    await said(page, 'You said: Hello').getByText('delivered in 3 tries').waitFor()
    await traces(page, /Hello.*delivered.*3 tries/).click()
    await page.getByText('The endpoint’s answers: 500, 500, then 204.').waitFor()
    await page
      .getByText('The endpoint answered 500, which may pass: a message is tried up to four times, or once if')
      .waitFor()
  })

  it('has the webhook URL and the credential, to copy', async () => {
    const { page, sandbox } = await open()
    await page.getByRole('button', { name: 'Copy the webhook URL' }).click()
    await expect.poll(() => clipboard(page)).toBe(sandbox.webhookUrl)
    await page.getByRole('button', { name: 'Copy the credential' }).click()
    await expect.poll(() => clipboard(page)).toBe(sandbox.token)
  })

  it('has a snippet in each language', async () => {
    const { page, sandbox } = await open()
    for (const language of ['curl', 'Node.js', 'Python', 'PHP', 'Go']) {
      const tab = page.getByRole('button', { name: language, exact: true })
      await tab.click()
      expect(await tab.getAttribute('aria-pressed')).toBe('true')
      const shown = await page.locator('.first-steps pre').first().textContent()
      await page.getByRole('button', { name: 'Copy the snippet' }).click()
      await expect.poll(() => clipboard(page)).toBe(shown)
      expect(shown).toContain(sandbox.webhookUrl)
    }
  })

  it('names the real endpoint, and can be dismissed, for a reload too', async () => {
    const endpoint = await endpointForTest()
    const { page } = await open({ endpoint: endpoint.url })
    const { origin, pathname } = new URL(endpoint.url)
    await page.locator('.first-steps').getByText(`${origin}${pathname}`).waitFor()
    await page.getByRole('button', { name: 'Dismiss' }).click()
    await page.reload()
    await page.getByRole('heading', { name: 'No trace is open' }).waitFor()
    expect(await page.locator('.first-steps li').count()).toBe(0)
  })

  it('has words for the demo bot', async () => {
    const { page } = await open()
    await page.locator('.first-steps').getByRole('button', { name: 'burst 40' }).click()
    await said(page, '40 of 40').waitFor()
  })
})

describe('the header', () => {
  it('has the numbers, and says on hover what each counts', async () => {
    const { page } = await open()
    const numbers = page.getByLabel('Numbers')
    await sendByForm(page, 'One')
    await traces(page, /One.*delivered/).waitFor()
    await letEndpoint(page, 'answer 500')
    await sendByForm(page, 'Two')
    await traces(page, /Two.*delivered/).waitFor()
    await letEndpoint(page, 'answer 302')
    await sendByForm(page, 'Three')
    await traces(page, /Three.*not delivered/).waitFor()
    await expect
      .poll(() => numbers.textContent())
      .toMatch(/sent *3 *delivered *2 *p50 *[\d.]+ m?s *p95 *[\d.]+ m?s *not delivered *1/)
  })

  it('names the real endpoint, and whether it is up', async () => {
    let status = 204
    const endpoint = await endpointForTest((response) => response.writeHead(status).end())
    const { page } = await open({ endpoint: endpoint.url })
    const named = page.locator('.endpoint')
    const { origin, pathname } = new URL(endpoint.url)
    await expect.poll(() => named.textContent()).toMatch(`Endpoint ${origin}${pathname} up at `)
    status = 410
    await sendByForm(page, 'Hello')
    await expect.poll(() => named.textContent()).toMatch(/ answers 410 at \d\d:\d\d:\d\d\s*$/)
    expect(await page.getByText('key=').count()).toBe(0)
  })

  it('in an outage, its numbers and buttons agree: what is being tried again has not failed', async () => {
    const { page } = await open()
    const numbers = page.getByLabel('Numbers')
    await letEndpoint(page, 'be down')
    await sendByForm(page, 'Hello')
    await expect.poll(() => numbers.textContent()).toMatch(/^sent *1 *delivered *0 *retrying *1$/)
    expect(await page.getByRole('button', { name: /^Redeliver/ }).count()).toBe(0)
    await page.getByRole('button', { name: 'Redeliver 1 message that failed' }).waitFor({ timeout: 40_000 })
    expect(await numbers.textContent()).toMatch(/sent *1 *delivered *0 *not delivered *1$/)
  })

  it('says how many instances there are, and how many are at work', async () => {
    let waiting: ServerResponse[] | undefined = []
    const endpoint = await endpointForTest((response) => waiting?.push(response) ?? response.writeHead(204).end())
    const { page, sandbox } = await open({ endpoint: endpoint.url, maxInstances: 4 })
    await page.setViewportSize({ width: 1600, height: 900 })
    await page.getByText('1 instance, 0 at work').waitFor()
    await send(sandbox, messageBody({ text: 'burst 40' }))
    await page.getByText('4 instances, 4 at work').waitFor()
    const answers = waiting
    waiting = undefined
    for (const response of answers) response.writeHead(204).end()
    await page.getByText('4 instances, 0 at work').waitFor()
    await sandbox.settled()
  })

  it('says live, connecting and gone; after a restart it says so, and keeps what was shown', async () => {
    const first = await startSandbox({ page: true })
    const port = Number(new URL(first.webhookUrl).port)
    const page = await openPage(first)
    await send(first, messageBody({ text: 'Before' }))
    await said(page, 'You said: Before').waitFor()
    await first.settled()
    await first.close()
    await page.getByText('connecting again').waitFor()
    await page.getByText('gone: start it again').waitFor({ timeout: 15_000 })
    await announced(page, 'The sandbox is gone')
    await sendByForm(page, 'Lost')
    await page
      .locator('.unsent')
      .getByText(/not sent: It could not be sent/)
      .waitFor()
    const second = await sandboxForTest({ page: true, port })
    await page.getByText('live', { exact: true }).waitFor({ timeout: 15_000 })
    await announced(page, 'The sandbox is back')
    await page.getByText(/started anew at \d\d:\d\d:\d\d; what was before is kept/).waitFor()
    await page.getByRole('button', { name: 'Send again' }).click()
    await said(page, 'You said: Lost').waitFor()
    await messages(page).filter({ hasText: 'You said: Before' }).waitFor()
    expect(second.chat.messages.all()).toHaveLength(2)
    // What is of the sandbox that was ended can be looked at, and not delivered again.
    await openTrace(page, /Before/)
    await steps(page, /^endpoint/).click()
    expect(await page.getByRole('button', { name: 'Redeliver the reply' }).isDisabled()).toBe(true)
  })
})

describe('much of it', () => {
  it('is capped, and drawn as far as it is seen', async () => {
    const { page, sandbox } = await open({ bot: () => [] })
    for (let count = 0; count < 300; count++)
      await send(sandbox, messageBody({ text: 'One of many', conversationId: `c ${count}` }))
    await expect.poll(() => page.getByLabel('Numbers').textContent(), { timeout: 30_000 }).toMatch(/sent *300/)
    expect(await page.evaluate('document.querySelectorAll("*").length')).toBeLessThan(6000)
    expect(await traces(page).count()).toBeLessThan(60)
    await page.getByRole('button', { name: 'Show more' }).click()
    await expect.poll(() => page.locator('#conversations li').count()).toBe(201)
  })
})

describe('nothing overflows', () => {
  it('with long words, at any width, light and dark', async () => {
    const { page } = await open()
    for (const text of ['carousel', 'any', 'long'.repeat(100), 'choice']) {
      await sendByForm(page, text)
      await expect.poll(() => traces(page, text.slice(0, 20)).count()).toBe(1)
    }
    await said(page, 'Which size?').waitFor()
    await openTrace(page, 'longlong')
    for (const [width, colorScheme] of [
      [1280, 'dark'],
      [800, 'light'],
      [400, 'light'],
      [400, 'dark'],
    ] as const) {
      await page.setViewportSize({ width, height: 800 })
      await page.emulateMedia({ colorScheme })
      for (const step of await steps(page).all()) {
        await step.click()
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width)
      }
      await steps(page).first().click()
      const box = await page.getByRole('button', { name: 'Copy as curl' }).first().boundingBox()
      expect(box!.x + box!.width).toBeLessThanOrEqual(width)
    }
  })

  it('nothing is cut, and nothing is scrolled inside of what is scrolled', async () => {
    const { page } = await open()
    for (const text of ['carousel', 'burst 40', 'choice']) await sendByForm(page, text)
    await said(page, 'Which size?').waitFor()
    await openTrace(page, /burst 40.*40 replies/)
    await steps(page, /^backend/).click()
    const nested = `[...document.querySelectorAll('*')].filter((element) => {
      const scrolls = (one) => /auto|scroll/.test(getComputedStyle(one).overflowY) && one.scrollHeight > one.clientHeight + 1
      for (let at = element.parentElement; scrolls(element) && at; at = at.parentElement) if (scrolls(at)) return true
      return false
    }).map(({ id, className }) => id + ' ' + className)`
    const cut = `[...document.querySelectorAll('body *')].filter((element) => element.checkVisibility() &&
      !element.closest('.visually-hidden, #traces .rows') && element.getBoundingClientRect().right > innerWidth + 1
    ).map(({ id, className }) => id + ' ' + className)`
    for (const width of [400, 1000, 1280]) {
      await page.setViewportSize({ width, height: 800 })
      for (const pane of width < 900 ? ['Chat', 'Wire', 'Detail'] : [undefined]) {
        if (pane) await showPane(page, pane)
        expect([await page.evaluate(nested), await page.evaluate(cut)], `${width} ${pane}`).toEqual([[], []])
      }
    }
  })

  it('under 900 px there are three tabs; the chat follows the newest', async () => {
    const { page } = await open({}, { viewport: { width: 400, height: 800 } })
    await sendByForm(page, 'burst 40')
    await said(page, '40 of 40').waitFor()
    await expect
      .poll(() =>
        page.evaluate(
          `(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight)(document.querySelector('#chat'))`
        )
      )
      .toBeLessThan(5)
    await openTrace(page, 'burst 40')
    // With a trace open, a click on a bubble or a line shows its detail too.
    await showPane(page, 'Chat')
    await said(page, '27 of 40').click()
    await page.locator('#detail').getByText('"27 of 40"').waitFor()
    const { y } = (await steps(page, /^bot27 of 40/).boundingBox())!
    expect(y).toBeGreaterThan(200)
    expect(y).toBeLessThan(800)
    await page.getByRole('button', { name: 'Close' }).click()
    await page.locator('#chat').waitFor()
    await openTrace(page, 'burst 40')
    await page.getByRole('button', { name: 'Close' }).click()
    await page.locator('#detail').waitFor({ state: 'detached' })
    await traces(page, 'burst 40').waitFor()
    for (const [pane, selector] of [
      ['Chat', '#chat'],
      ['Wire', '#traces'],
      ['Detail', '.first-steps'],
    ] as const) {
      await showPane(page, pane)
      await page.locator(selector).waitFor()
      expect(await page.locator('main > :visible').count()).toBe(pane === 'Chat' ? 2 : 1)
    }
  })
})
