import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { demoMessages } from '../../sandbox/bot/demo-messages'
import { messageBody, send } from '../harness/backend'
import { letEndpoint, open, openTrace, said, sendByForm, setFault, steps, traces } from './inspector'

const WIDTHS = [400, 1280, 1920]

const COLORS = [
  { colorScheme: 'light', forcedColors: 'none' },
  { colorScheme: 'dark', forcedColors: 'none' },
  { colorScheme: 'light', forcedColors: 'active' },
] as const

/** Looks at the page as it is, at each width and in all colours; where a pane is alone, at each of them. */
const expectNoViolation = async (page: Page, widths = WIDTHS) => {
  await page.evaluate(axe.source)
  for (const width of widths) {
    await page.setViewportSize({ width, height: 900 })
    const panes = await page.getByRole('navigation', { name: 'Panes' }).getByRole('button').all()
    for (const pane of panes.length > 0 && !(await page.getByRole('dialog').isVisible()) ? panes : [undefined]) {
      await pane?.click()
      for (const colors of COLORS) {
        await page.emulateMedia(colors)
        const violations = await page.evaluate<{ id: string; nodes: { html: string; failureSummary: string }[] }[]>(
          `axe.run().then(({ violations }) => violations)`
        )
        const told = violations.map(({ id, nodes }) => [
          id,
          nodes.slice(0, 3).map(({ html, failureSummary }) => [html.slice(0, 200), failureSummary]),
        ])
        expect(told, JSON.stringify({ width, ...colors })).toEqual([])
      }
    }
  }
  await page.emulateMedia({ colorScheme: null, forcedColors: null })
}

it('forced colours leave the bars of a waterfall, and what is chosen, to be seen', async () => {
  const { page } = await open({}, { forcedColors: 'active' })
  await letEndpoint(page, 'answer 500')
  await sendByForm(page, 'Hello')
  await openTrace(page, /Hello.*delivered/)
  const colors = `[...new Set([...document.querySelectorAll('.try .bar')].map((bar) => getComputedStyle(bar).backgroundColor))]`
  expect(await page.evaluate(colors)).toHaveLength(2)
  const outline = (selector: string) =>
    `getComputedStyle(document.querySelector(${JSON.stringify(selector)})).outlineStyle`
  expect(await page.evaluate(outline('.row[aria-selected=true]'))).not.toBe(
    await page.evaluate(outline('.row[aria-selected=false]'))
  )
})

describe('axe finds no violation at 400, 1280 and 1920 px, light, dark and with forced colours', () => {
  it('on the first screen, in the keys, and in the guide', async () => {
    const { page } = await open()
    await expectNoViolation(page)
    await page.keyboard.press('?')
    await expectNoViolation(page, [1280])
    await page.goto(new URL('/guide', page.url()).href)
    await expectNoViolation(page)
  })

  it('with conversations, every type of message and an open trace', async () => {
    const { page, sandbox } = await open()
    for (const text of Object.keys(demoMessages('')))
      await send(sandbox, messageBody({ text, conversationId: 'tea' }), { unchecked: true })
    await sendByForm(page, 'burst 12')
    await said(page, '12 of 12').waitFor()
    await page.getByText('More', { exact: true }).click()
    await page.getByLabel('Payload, JSON').fill('{')
    await openTrace(page, /burst 12.*delivered/)
    for (const step of [/^backend/, /^bot/, /^endpoint/]) await steps(page, step).first().click()
    for (const summary of await page.locator('#detail .exchange > details > summary').all()) await summary.click()
    await expectNoViolation(page)
  })

  it('with what has gone wrong, while the list is paused, and with a request to edit', async () => {
    const { page, sandbox } = await open()
    await letEndpoint(page, 'answer 302')
    await sendByForm(page, 'Hello')
    await traces(page, /Hello.*not delivered/).click()
    await page.getByRole('button', { name: 'Pause' }).click()
    await page.getByRole('navigation', { name: 'Conversations' }).getByRole('button', { name: /^tea/ }).click()
    await letEndpoint(page, 'answer 500')
    await setFault(page, 'Status of Endpoint', 1)
    await page.getByRole('alert').waitFor()
    await send(sandbox, messageBody({ conversationId: 'lunch' }))
    await send(sandbox, messageBody({ conversationId: 'tea' }))
    await page.getByRole('button', { name: '1 new', exact: true }).waitFor()
    await expectNoViolation(page)
    await page.setViewportSize({ width: 1280, height: 900 })
    await steps(page, /^backend/).click()
    await page.getByRole('button', { name: 'Edit and send' }).click()
    await page.getByRole('dialog').waitFor()
    await expectNoViolation(page)
  })
})
