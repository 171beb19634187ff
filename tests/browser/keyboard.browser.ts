import { describe, expect, it } from 'vitest'
import { messageBody, send } from '../harness/backend'
import { announced, letEndpoint, open, openRequest, openTrace, said, sendByForm, steps, traces } from './inspector'

describe('the keyboard', () => {
  it('goes through the list, opens, searches, replays and sends', async () => {
    const { page, sandbox } = await open()
    for (const text of ['One', 'Two']) {
      await send(sandbox, messageBody({ text }))
      await traces(page, new RegExp(`${text}.*delivered`)).waitFor()
    }
    const heading = (name: string) => page.getByRole('heading', { name, exact: true }).waitFor()
    const focused = async (id: string) => {
      await expect.poll(() => page.evaluate('document.activeElement.id')).toBe(id)
    }
    await page.keyboard.press('j')
    await heading('Two')
    await page.keyboard.press('Enter')
    await focused('detail')
    await page.keyboard.press('j')
    await heading('One')
    await page.keyboard.press('k')
    await heading('Two')
    await page.getByRole('listbox').focus()
    await page.keyboard.press('ArrowDown')
    await heading('One')
    await page.keyboard.press('ArrowUp')
    await heading('Two')
    await page.keyboard.press('End')
    await page.keyboard.press('Home')
    await heading('Two')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('r')
    await traces(page, /One.*repeat/).waitFor()
    await announced(page, 'Replayed')
    await page.keyboard.press('Escape')
    await page.getByRole('heading', { name: 'No trace is open' }).waitFor()
    await focused('traces')
    await page.keyboard.press('Enter')
    await heading('One')
    await focused('detail')
    await page.keyboard.press('Escape')
    await page.keyboard.press('/')
    await page.keyboard.type('One')
    await expect.poll(() => traces(page).count()).toBe(1)
    await page.keyboard.press('Escape')
    await expect.poll(() => traces(page).count()).toBeGreaterThan(1)
    await page.keyboard.press('m')
    await focused('composer-text')
    await page.getByText('More', { exact: true }).click()
    await page.getByLabel('Text', { exact: true }).fill('By keyboard')
    await page.getByLabel('Payload, JSON').fill('{"note":1}')
    await page.keyboard.press('Control+Enter')
    await said(page, 'You said: By keyboard').waitFor()
  })

  it('? opens the list of keys, and “New conversation” puts the cursor into the form', async () => {
    const { page } = await open()
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keys' }).getByText('replay the request').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog', { name: 'Keys' }).waitFor({ state: 'hidden' })
    await page.getByRole('button', { name: 'New conversation' }).click()
    await page.keyboard.type('By keyboard')
    await page.keyboard.press('Enter')
    await said(page, 'You said: By keyboard').waitFor()
    await page.getByRole('heading', { name: 'conversation-1' }).waitFor()
  })

  it('keeps the focus when something is drawn anew', async () => {
    const { page, sandbox } = await open()
    await send(sandbox, messageBody({ text: 'choice' }))
    const button = page.getByRole('button', { name: 'Large' })
    for (const [round, element] of [
      button,
      page.getByLabel('Search'),
      page.getByRole('listbox'),
      page.getByRole('button', { name: 'Pause' }),
    ].entries()) {
      await element.focus()
      await send(sandbox, messageBody({ text: `News no. ${round}` }))
      await said(page, `You said: News no. ${round}`).getByText('delivered', { exact: true }).waitFor()
      expect(await element.and(page.locator(':focus')).count()).toBe(1)
    }
  })

  it('keeps the focus near what had it, where that is drawn no more or switched off', async () => {
    const { page, sandbox } = await open()
    await letEndpoint(page, 'answer 500')
    await send(sandbox, messageBody({ text: 'Broken' }))
    const isIn = async (id: string) => {
      await expect.poll(() => page.evaluate(`document.activeElement.closest('${id}') !== null`)).toBe(true)
    }
    await page.getByRole('button', { name: 'Stop' }).click()
    await isIn('#traces')
    await openTrace(page, /Broken/)
    await page.getByRole('button', { name: 'Close' }).click()
    await isIn('#traces')
    await page.getByLabel('Search').focus()
    await page.keyboard.press('Escape')
    await isIn('#traces')
    await page.getByRole('button', { name: 'Copy the snippet' }).focus()
    await page.keyboard.press('j')
    await page.locator('#detail').waitFor()
    await isIn('#traces')
    await page.keyboard.press('Escape')
    await openTrace(page, /Broken/)
    await steps(page, /^endpoint/)
      .first()
      .focus()
    await page.keyboard.press('j')
    await page.getByRole('heading', { name: /test message of the registration/ }).waitFor()
    await isIn('#detail')
    await page.getByLabel('Search').fill('Broken')
    await page.getByRole('button', { name: 'Show all' }).click()
    await isIn('#wire')
  })

  it('keeps what is looked at while the rest of its trace arrives', async () => {
    const { page, sandbox } = await open()
    await sandbox.control.setFaults({ endpoint: { status: 500, delayMs: 700, times: 2 } })
    await send(sandbox, messageBody({ text: 'Under way' }))
    await openRequest(page, 'Under way')
    const copy = page.getByRole('article', { name: 'backend to webhook' }).getByRole('button', { name: 'Copy as curl' })
    await copy.focus()
    await steps(page, /^endpointtry 2/).waitFor()
    expect(await copy.evaluate('document.activeElement.textContent')).toBe('Copy as curl')
  })

  it('hears once what matters', async () => {
    const { page } = await open({ maxInstances: 4 })
    expect(await page.locator('[aria-live], [role=status], [role=log]').count()).toBe(1)
    await letEndpoint(page, 'answer 500')
    await sendByForm(page, 'At last')
    await announced(page, 'At last: delivered in 3 tries')
    await letEndpoint(page, 'answer 302')
    await sendByForm(page, 'Nowhere')
    await announced(page, 'Nowhere: not delivered')
    await letEndpoint(page, 'normal')
    const spoken = `new MutationObserver((changes) => (globalThis.spoken = [...(globalThis.spoken ?? []), ...changes.flatMap(({ addedNodes }) => [...addedNodes].map((node) => node.textContent))])).observe(document.querySelector('[role=status]'), { childList: true })`
    await page.evaluate(spoken)
    for (let time = 0; time < 2; time++) {
      await sendByForm(page, 'Same words')
      await expect.poll(() => page.evaluate('(globalThis.spoken ?? []).length')).toBe(time + 1)
    }
    expect(await page.evaluate('globalThis.spoken')).toEqual(['Same words: delivered', 'Same words: delivered'])
  })
})
