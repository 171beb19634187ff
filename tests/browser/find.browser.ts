import { beforeEach, describe, expect, it } from 'vitest'
import type { Page } from 'playwright-core'
import type { Sandbox } from '../../sandbox/sandbox'
import { messageBody, send } from '../harness/backend'
import { letEndpoint, messages, open, openTrace, said, traces } from './inspector'

describe('what is found', () => {
  let page: Page
  let sandbox: Sandbox

  beforeEach(async () => {
    ;({ page, sandbox } = await open())
    const { body } = await send(sandbox, messageBody({ text: 'silent', conversationId: 'lunch' }))
    await sandbox.say(body.conversation.id, { type: 'text', payload: { text: 'From the bot alone' } })
    await send(sandbox, { ...messageBody({ text: 'Wrong', conversationId: 'lunch' }), userId: 5 }, { unchecked: true })
    await traces(page, /Wrong.*refused/).waitFor()
    await send(sandbox, messageBody({ text: 'silent', conversationId: 'tea' }))
    await letEndpoint(page, 'answer 302')
    await page.getByLabel('How often Endpoint does so').fill('1')
    await page.getByLabel('How often Endpoint does so').blur()
    // The last, so that nothing that is delivered brings it along.
    await send(sandbox, messageBody({ text: 'Broken', conversationId: 'tea' }))
    await traces(page, /Broken.*not delivered/).waitFor()
    await traces(page).nth(5).waitFor()
  })

  it('is what the words of a search are in', async () => {
    await page.keyboard.press('/')
    await page.keyboard.type('BROKEN you')
    await expect.poll(() => traces(page).allTextContents()).toEqual([expect.stringContaining('Broken')])
    await page.getByLabel('Search').fill('nothing has this')
    await page.getByText('Nothing is found.').waitFor()
    await page.getByRole('button', { name: 'Show all' }).click()
    await expect.poll(() => traces(page).count()).toBe(6)
  })

  it('has a status, a direction, a conversation', async () => {
    const count = async (expected: number) => {
      await expect.poll(() => traces(page).count()).toBe(expected)
    }
    const chips = page.getByRole('group', { name: 'Filter by status' })
    await chips.getByRole('button', { name: 'Refused 1' }).click()
    await count(1)
    await chips.getByRole('button', { name: 'Failed 1' }).click()
    await expect.poll(() => traces(page).allTextContents()).toEqual([expect.stringContaining('not delivered')])
    await chips.getByRole('button', { name: 'All' }).click()
    await page.getByLabel('Direction').selectOption('from the bot')
    await expect.poll(() => traces(page).allTextContents()).toEqual([expect.stringContaining('From the bot alone')])
    await page.getByRole('navigation', { name: 'Conversations' }).getByRole('button', { name: /^tea/ }).click()
    await count(0)
    await page.getByText('Nothing is found.').waitFor()
    await page.getByLabel('Direction').selectOption('')
    // The chips count what they would show.
    expect(await chips.getByRole('button', { name: /Refused/ }).count()).toBe(0)
    await chips.getByRole('button', { name: 'Failed 1' }).waitFor()
    await page.getByRole('button', { name: 'Only tea ×' }).click()
    await chips.getByRole('button', { name: 'Refused 1' }).waitFor()
  })

  it('stands in the address, so that a reload or a shared link shows the same', async () => {
    await page.getByLabel('Search').fill('silent')
    await page.getByLabel('Direction').selectOption('to the bot')
    await page
      .getByRole('navigation', { name: 'Conversations' })
      .getByRole('button', { name: /^lunch/ })
      .click()
    await openTrace(page, 'silent')
    const shows = async (tab: Page) => {
      await tab.getByRole('heading', { name: 'silent', exact: true }).waitFor()
      await expect.poll(() => traces(tab).count()).toBe(1)
      expect(await tab.getByLabel('Search').inputValue()).toBe('silent')
      expect(await tab.getByLabel('Direction').inputValue()).toBe('to the bot')
      await tab.getByRole('heading', { name: 'lunch', exact: true }).waitFor()
    }
    await page.reload()
    await shows(page)
    const shared = await page.context().newPage()
    await shared.goto(page.url())
    await shows(shared)
  })

  it('stands still while it is paused, and says how many are new', async () => {
    await page.getByRole('button', { name: 'Pause' }).click()
    for (let count = 0; count < 3; count++) await send(sandbox, messageBody({ text: 'silent' }))
    const fresh = page.getByRole('button', { name: '3 new', exact: true })
    await fresh.waitFor()
    expect(await traces(page).count()).toBe(6)
    // What was there before is not new, whatever is looked for.
    await page.getByLabel('Search').fill('broken')
    await expect.poll(() => traces(page).count()).toBe(1)
    await page.getByLabel('Search').fill('')
    await page.reload()
    await expect.poll(() => traces(page).count()).toBe(6)
    await fresh.click()
    await expect.poll(() => traces(page).count()).toBe(9)
  })

  it('opens a trace, and the browser’s Back closes it', async () => {
    await openTrace(page, 'Broken')
    await page.getByLabel('Search').fill('silent')
    await page.getByLabel('Search').blur()
    await page.goBack()
    await page.getByRole('heading', { name: 'Your first message' }).waitFor()
    // What is looked for meanwhile stays.
    await expect.poll(() => traces(page).count()).toBe(2)
    expect(page.url()).toMatch(/\?q=silent$/)
  })

  it('has the id that was delivered, and what is written in a card', async () => {
    await send(sandbox, messageBody({ text: 'card' }))
    await traces(page, /card.*delivered/).waitFor()
    await page.getByLabel('Search').fill('espresso')
    await expect.poll(() => traces(page).count()).toBe(1)
    await page.getByLabel('Search').fill(sandbox.chat.messages.all().at(-1)!.id)
    await expect.poll(() => traces(page).count()).toBe(1)
  })

  it('stands still while something older is looked at, and says how many are new', async () => {
    for (let count = 0; count < 40; count++)
      await send(sandbox, messageBody({ text: 'silent', conversationId: 'many' }))
    const list = page.getByRole('listbox')
    await list.hover()
    await page.mouse.wheel(0, 600)
    await expect.poll(() => page.evaluate(`document.querySelector('#traces').scrollTop`)).toBeGreaterThan(300)
    const looked = await page.evaluate<string>(
      `document.elementFromPoint(...(({ x, y }) => [x + 50, y + 100])(document.querySelector('#traces').getBoundingClientRect())).closest('.row').id`
    )
    await send(sandbox, messageBody({ text: 'silent' }))
    await page.getByRole('button', { name: '1 new', exact: true }).waitFor()
    const stillThere = `document.elementFromPoint(...(({ x, y }) => [x + 50, y + 100])(document.querySelector('#traces').getBoundingClientRect())).closest('.row').id`
    expect(await page.evaluate(stillThere)).toBe(looked)
    await page.getByRole('button', { name: '1 new', exact: true }).click()
    await expect.poll(() => page.evaluate(`document.querySelector('#traces').scrollTop`)).toBe(0)
  })

  it('is cleared away, for a reload too', async () => {
    await page.getByRole('button', { name: 'Clear' }).click()
    await expect.poll(() => traces(page).count()).toBe(0)
    expect(await messages(page).count()).toBe(0)
    await page.reload()
    await send(sandbox, messageBody({ text: 'Afterwards' }))
    await said(page, 'You said: Afterwards').waitFor()
    expect(await traces(page, /Broken|Wrong/).count()).toBe(0)
    await page.getByRole('button', { name: 'Show all' }).click()
    await traces(page, 'Broken').waitFor()
  })
})
