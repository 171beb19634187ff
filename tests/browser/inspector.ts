import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { expect, onTestFinished } from 'vitest'
import type { Sandbox, SandboxOptions } from '../../sandbox/sandbox'
import { sandboxForTest } from '../harness/for-test'
import { startChromium } from './chromium'

const VIEWPORT = { width: 1440, height: 900 }

// Half as many pixels each way: drawing them is most of a test's time.
const OPTIONS = { permissions: ['clipboard-read', 'clipboard-write'], viewport: VIEWPORT, deviceScaleFactor: 0.5 }

/** One for all files that a worker runs. It ends with the worker. */
let browser: Promise<Browser> | undefined

/** For the first page that a test opens, and that needs nothing of its own: a new one would take most of a test's time. */
let shared: { page: Promise<Page>; isFree: boolean } | undefined

/** Opens the page of a sandbox of its own, with one instance of the integration: starting it takes time. */
export const open = async (options: SandboxOptions = {}, context?: BrowserContextOptions) => {
  const sandbox = await sandboxForTest({ page: true, maxInstances: 1, ...options })
  return { sandbox, page: await openPage(sandbox, context) }
}

/** Opens the page of a sandbox, at an address like `/?q=tea`. */
export const openPage = async (sandbox: Sandbox, options?: BrowserContextOptions, path = '/'): Promise<Page> => {
  browser ??= startChromium()
  const newPage = async () => (await (await browser!).newContext({ ...OPTIONS, ...options })).newPage()
  const isShared = !options && shared?.isFree !== false
  if (isShared) shared = { page: shared?.page ?? newPage(), isFree: false }
  const page = await (isShared ? shared!.page : newPage())
  const faults: string[] = []
  page.on('pageerror', ({ message }) => faults.push(message))
  page.on('console', (line) => line.text().includes('Content Security Policy') && faults.push(line.text()))
  // Nothing outside this machine is there to be asked.
  page.on('request', (request) => {
    if (!/^(https?:\/\/(localhost|127\.0\.0\.1)|data:|blob:)/.test(request.url()))
      faults.push(`asked for ${request.url()}`)
  })
  onTestFinished(async () => {
    page.removeAllListeners()
    if (isShared) {
      // Behind one that was opened from it, it would be drawn once a second.
      const others = page.context().pages()
      await Promise.all(others.filter((one) => one !== page).map((one) => one.close()))
      await page.setViewportSize(VIEWPORT)
      await page.emulateMedia({ colorScheme: null })
      shared!.isFree = true
    } else await page.context().close()
    expect(faults).toEqual([])
  })
  await page.goto(new URL(path, sandbox.webhookUrl).href)
  await page.getByText('live', { exact: true }).waitFor()
  return page
}

export const sendByForm = async (page: Page, text: string) => {
  await page.getByLabel('Text', { exact: true }).fill(text)
  await page.getByRole('button', { name: 'Send', exact: true }).click()
}

/** The bubbles of the chat. */
export const messages = (page: Page) => page.locator('#chat > .bubble')

/** The bubble of the bot that says so. */
export const said = (page: Page, text: string | RegExp) => messages(page).filter({ hasText: text }).last()

/** The lines of the list of traces. */
export const traces = (page: Page, text: string | RegExp = /./) =>
  page.locator('[role=option]').filter({ hasText: text })

/** Shows a pane, on a page that is too narrow for all. */
export const showPane = (page: Page, name: string) =>
  page.getByRole('navigation', { name: 'Panes' }).getByRole('button', { name }).click()

export const openTrace = async (page: Page, text: string | RegExp) => {
  if (page.viewportSize()!.width < 900) await showPane(page, 'Wire')
  await traces(page, text).first().click()
  await page.locator('#detail').waitFor()
}

/** The rows of the waterfall of the trace that is open. */
export const steps = (page: Page, text: string | RegExp = /./) =>
  page.locator('#detail .step').filter({ hasText: text })

/** Opens a trace, and shows the request that it began with. */
export const openRequest = async (page: Page, text: string | RegExp) => {
  await openTrace(page, text)
  const request = steps(page, /^backend/).first()
  if ((await request.getAttribute('aria-expanded')) === 'false') await request.click()
}

/** The last bubble of the bot that shows a message of that type. */
export const saidAs = (page: Page, type: string) => page.locator(`#chat > .outgoing[data-type="${type}"]`).last()

/** Lets the endpoint do something else: `normal`, `answer 500`, `hang`, `be down`, … */
export const letEndpoint = async (page: Page, does: string) => {
  const [, choice, status] = does.match(/^(.*?)(?: (\d+))?$/)!
  await page.getByLabel('What Endpoint does').selectOption(choice!)
  if (status) await setFault(page, 'Status of Endpoint', Number(status))
}

export const setFault = async (page: Page, label: string, value: number) => {
  await page.getByLabel(label).fill(String(value))
  await page.getByLabel(label).blur()
}

export const clipboard = (page: Page) => page.evaluate<string>('navigator.clipboard.readText()')

/** What the live region says. */
export const announced = (page: Page, text: string | RegExp) =>
  page.getByRole('status').filter({ hasText: text }).waitFor()
