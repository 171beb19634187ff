import { startSandbox } from '../../sandbox/sandbox'
import { startChromium } from './chromium'

const TEXTS = ['Hello', 'choice', 'card']

/** Makes the picture of the page that the README shows. */
const main = async () => {
  const sandbox = await startSandbox({ page: true, port: 3000 })
  const browser = await startChromium()
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, deviceScaleFactor: 2 })
    // The demo bot's pictures are links to nothing: ours stands in for them.
    await page.route(/example\.com/, (route) => route.fulfill({ path: 'icon.svg' }))
    await page.goto(new URL('/', sandbox.webhookUrl).href)
    await page.getByLabel('The endpoint').selectOption('fails twice')
    for (const text of TEXTS) {
      await page.getByLabel('Text', { exact: true }).fill(text)
      await page.getByRole('button', { name: 'Send' }).click()
      await page.getByText('sent', { exact: true }).waitFor()
      await sandbox.settled()
    }
    await page.locator('#wire summary').last().click()
    await page.screenshot({ path: 'docs/sandbox.png' })
  } finally {
    await browser.close()
    await sandbox.close()
  }
}

main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
