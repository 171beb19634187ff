import { setTimeout as sleep } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import { messageBody, send } from '../tests/harness/backend'
import { startChromium } from '../tests/browser/chromium'
import { type Sandbox, startSandbox } from '../sandbox/sandbox'

const MESSAGES = 500
const AT_ONCE = 20
const LONG = 20
const LONG_LENGTH = 200_000

/** Tells the longest time in which the page could draw nothing, in milliseconds. */
const WATCH_FREEZES = `
  window.longestFreeze = 0
  let last = performance.now()
  const look = (now) => {
    window.longestFreeze = Math.max(window.longestFreeze, now - last)
    last = now
    requestAnimationFrame(look)
  }
  requestAnimationFrame(look)`

const sendMany = async (sandbox: Sandbox, count: number, text: string) => {
  for (let sent = 0; sent < count; sent += AT_ONCE) {
    const ids = Array.from({ length: Math.min(AT_ONCE, count - sent) }, (_, index) => sent + index)
    await Promise.all(
      ids.map((id) =>
        send(sandbox, messageBody({ text, conversationId: `c ${id % 10}`, userId: 'ada' }), { unchecked: true })
      )
    )
  }
}

/** Resolves once as many of the bubbles have those words. */
const isShown = async (page: Page, words: string, count = 1) => {
  const bubbles = `[...document.querySelectorAll('#chat .bubble')]`
  const shown = `${bubbles}.filter(({ textContent }) => textContent.includes(${JSON.stringify(words)})).length`
  while ((await page.evaluate<number>(shown)) < count) await sleep(20)
}

/** In bytes, after a collection of garbage. */
const heapOf = async (page: Page): Promise<number> => {
  const session = await page.context().newCDPSession(page)
  await session.send('HeapProfiler.collectGarbage')
  return page.evaluate<number>('performance.memory.usedJSHeapSize')
}

const megabytes = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MB`

/** Measures the sandbox's page: many more messages on a page that is full, and long payloads. */
const main = async () => {
  const sandbox = await startSandbox({ page: true })
  const browser = await startChromium()
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
    await page.goto(new URL('/', sandbox.webhookUrl).href)
    for (let round = 0; round < 2; round++) await sendMany(sandbox, MESSAGES, 'to fill it')
    await send(sandbox, messageBody({ text: 'It is full' }))
    await isShown(page, 'You said: It is full')
    const heapBefore = await heapOf(page)

    await page.evaluate(WATCH_FREEZES)
    const begin = performance.now()
    await sendMany(sandbox, MESSAGES, 'more')
    const sentAfter = performance.now() - begin
    await send(sandbox, messageBody({ text: 'The last' }))
    await isShown(page, 'You said: The last')
    const shownAfter = performance.now() - begin
    const freeze = await page.evaluate<number>('window.longestFreeze')
    const heapAfter = await heapOf(page)
    const elements = await page.evaluate<number>('document.querySelectorAll("*").length')

    await page.evaluate('window.longestFreeze = 0')
    const { body } = await send(sandbox, messageBody({ text: 'silent', conversationId: 'long' }))
    const beginLong = performance.now()
    for (let count = 0; count < LONG; count++) {
      // Longer than Botpress takes it as a payload: it is refused, and shown all the same.
      await send(sandbox, messageBody({ conversationId: 'long', text: `${count} ${'x'.repeat(LONG_LENGTH)}` }), {
        unchecked: true,
      })
      await sandbox.say(body.conversation.id, {
        type: 'text',
        payload: { text: `${count} ${'y'.repeat(LONG_LENGTH / 2)}` },
      })
    }
    await isShown(page, 'yyyyy', LONG)
    const longAfter = performance.now() - beginLong
    const longFreeze = await page.evaluate<number>('window.longestFreeze')

    console.log(`${MESSAGES} more messages on a full page
  sent after            ${(sentAfter / 1000).toFixed(1)} s
  shown after           ${(shownAfter / 1000).toFixed(1)} s
  longest freeze        ${Math.round(freeze)} ms
  heap before, after    ${megabytes(heapBefore)}, ${megabytes(heapAfter)}
  elements              ${elements.toLocaleString('en')}
${LONG} requests of ${LONG_LENGTH / 1000} kB, and as many messages of ${LONG_LENGTH / 2000} kB
  shown after           ${(longAfter / 1000).toFixed(1)} s
  longest freeze        ${Math.round(longFreeze)} ms`)
  } finally {
    await browser.close()
    await sandbox.close()
  }
}

main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
