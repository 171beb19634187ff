import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { messageBody, send } from '../harness/backend'
import { letEndpoint, open, openTrace, said, sendByForm, steps, traces } from './inspector'

const expectNoViolation = async (page: Page, schemes = ['light', 'dark'] as ('light' | 'dark')[]) => {
  await page.evaluate(axe.source)
  for (const colorScheme of schemes) {
    await page.emulateMedia({ colorScheme })
    const violations = await page.evaluate<{ id: string; nodes: { html: string; failureSummary: string }[] }[]>(
      `axe.run().then(({ violations }) => violations)`
    )
    expect(
      violations.map(({ id, nodes }) => [
        id,
        nodes.slice(0, 3).map(({ html, failureSummary }) => [html.slice(0, 200), failureSummary]),
      ]),
      colorScheme
    ).toEqual([])
  }
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
  await expectNoViolation(page, ['light'])
})

describe('axe finds no violation, light and dark', () => {
  it('on the first screen', async () => {
    const { page } = await open()
    await expectNoViolation(page)
  })

  it('with conversations, every type of message and an open trace', async () => {
    const { page, sandbox } = await open()
    for (const text of [
      'Hello',
      'markdown',
      'image',
      'audio',
      'video',
      'file',
      'location',
      'card',
      'carousel',
      'choice',
      'bloc',
      'any',
    ]) {
      await send(sandbox, messageBody({ text, conversationId: 'tea' }))
    }
    await said(page, 'Order').waitFor()
    await openTrace(page, /carousel.*delivered/)
    for (const step of [/^backend/, /^bot/, /^endpoint/]) {
      await steps(page, step).click()
      for (const summary of await page.locator('#detail .exchange > details > summary').all()) await summary.click()
      await expectNoViolation(page)
    }
    await page.getByRole('navigation', { name: 'Conversations' }).getByRole('button', { name: /^tea/ }).click()
    await page.getByText('More', { exact: true }).click()
    await page.getByLabel('Payload, JSON').fill('{')
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
    await page.getByLabel('Status of Endpoint').fill('1')
    await page.getByLabel('Status of Endpoint').blur()
    await page.getByRole('alert').waitFor()
    await send(sandbox, messageBody({ conversationId: 'lunch' }))
    await send(sandbox, messageBody({ conversationId: 'tea' }))
    await page.getByRole('button', { name: '1 new', exact: true }).waitFor()
    await expectNoViolation(page)
    await steps(page, /^backend/).click()
    await page.getByRole('button', { name: 'Edit and send' }).click()
    await page.getByRole('dialog').waitFor()
    await expectNoViolation(page)
  })

  it('in one column, and in the guide', async () => {
    const { page } = await open({}, { viewport: { width: 400, height: 800 } })
    await sendByForm(page, 'card')
    await said(page, 'Espresso').waitFor()
    await expectNoViolation(page)
    await openTrace(page, 'card')
    await expectNoViolation(page)
    await page.goto(new URL('/guide', page.url()).href)
    await expectNoViolation(page)
  })
})
