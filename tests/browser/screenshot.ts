import { startSandbox } from '../../sandbox/sandbox'
import { startChromium } from './chromium'

/** Makes the pictures of the page that the README shows: a message that was delivered at the third try. */
const main = async () => {
  const sandbox = await startSandbox({
    page: true,
    port: 3000,
    accessKey: 'an-access-key-to-try-things-out-with',
    signingSecret: `whsec_${Buffer.from('a secret to take pictures with..').toString('base64')}`,
  })
  const browser = await startChromium()
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 860 }, deviceScaleFactor: 2 })
    await page.goto(new URL('/', sandbox.webhookUrl).href)
    const say = async (text: string, does: string) => {
      await page.getByLabel('What Endpoint does').selectOption(does)
      await page.getByLabel('Text', { exact: true }).fill(text)
      await page.getByRole('button', { name: 'Send', exact: true }).click()
      await page.locator('[role=option]').filter({ hasText: text }).getByText('delivered', { exact: true }).waitFor()
    }
    await say('Good morning', 'normal')
    await say('choice', 'normal')
    await say('card', 'answer')
    await page.locator('[role=option]').filter({ hasText: 'card' }).click()
    await page.locator('.waterfall').getByRole('button', { name: /try 3/ }).click()
    await page.evaluate(`document.querySelector('#detail').scrollTop = 0`)
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      await page.screenshot({ path: `docs/sandbox-${colorScheme}.png` })
    }
  } finally {
    await browser.close()
    await sandbox.close()
  }
}

main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
