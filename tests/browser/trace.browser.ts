import { describe, expect, it } from 'vitest'
import { messageBody, send } from '../harness/backend'
import { letEndpoint, open, openRequest, openTrace, said, sendByForm, steps, traces } from './inspector'

describe('a message is one thing', () => {
  it('is one line when it is closed, with a status that is seen at a glance', async () => {
    const { page } = await open()
    await letEndpoint(page, 'answer 500')
    await sendByForm(page, 'Hello')
    await traces(page, /Hello.*retrying/).waitFor()
    await traces(page, /Hello\s*delivered\s*\d\.\d s\s*\d\d:\d\d:\d\d\s+· ada in tea\s+· 1 reply\s+· 3 tries/).waitFor()
    expect(await traces(page).count()).toBe(2)
  })

  it('is readable with long ids, and has a pill only if it is not simply delivered', async () => {
    const { page, sandbox } = await open()
    const id = 'whatsapp:+33612345678@s.whatsapp.net'
    await send(sandbox, messageBody({ text: 'Simple', conversationId: id, userId: id }))
    await traces(page, /Simple.*· whatsapp:\+…atsapp\.net/).waitFor()
    await expect.poll(() => traces(page, 'Simple').locator('.pill').count()).toBe(0)
    await send(sandbox, { ...messageBody({ text: 'Wrong' }), userId: 5 }, { unchecked: true })
    await traces(page, 'Wrong').locator('.pill').getByText('refused').waitFor()
    const chips = page.getByRole('group', { name: 'Filter by status' })
    await chips.getByRole('button', { name: 'Refused 1' }).click()
    await expect.poll(() => traces(page).count()).toBe(1)
    await chips.getByRole('button', { name: 'All' }).click()
    await expect.poll(() => traces(page).count()).toBe(3)
  })

  it('says delivered, not delivered, and taken where the bot says nothing', async () => {
    const { page } = await open()
    for (const [status, does, text] of [
      ['delivered', 'normal', 'Hello'],
      ['not delivered', 'answer 302', 'Good morning'],
      ['taken', 'normal', 'silent'],
    ] as const) {
      await letEndpoint(page, does)
      await sendByForm(page, text)
      await traces(page, text).getByText(status, { exact: true }).waitFor()
    }
  })

  it('says refused, with the reason and where it is explained', async () => {
    const { page, sandbox } = await open()
    await send(sandbox, { ...messageBody(), userId: 7 }, { unchecked: true })
    await traces(page, /refused.*400/).click()
    await page
      .locator('#detail')
      .getByText(/userId/)
      .first()
      .waitFor()
    const guide = page.locator('#detail').getByRole('link', { name: 'What to do' }).first()
    const [opened] = await Promise.all([page.waitForEvent('popup'), guide.click()])
    await opened.getByRole('heading', { name: 'Errors' }).waitFor()
    expect(await opened.evaluate('location.hash && document.querySelector(":target").textContent')).toBe('Errors')
  })

  it('tells beside the request of what was hardly meant so: ids of Botpress, and fields that are ignored', async () => {
    const { page, sandbox } = await open()
    const { body } = await send(sandbox, messageBody({ text: 'First' }))
    const again = messageBody({ text: 'Next', conversationId: body.conversation.id, metadata: { a: 1 } })
    await send(sandbox, again, { unchecked: true })
    await openRequest(page, 'Next')
    const request = page.getByRole('article', { name: 'backend to webhook' })
    await request.getByText('The conversationId is one of Botpress.').waitFor()
    await request.getByText('Ignored: metadata.').waitFor()
    await openRequest(page, 'First')
    await page.getByRole('article', { name: 'backend to webhook' }).waitFor()
    expect(await page.getByText(/is one of Botpress|Ignored:/).count()).toBe(0)
  })

  it('has the request, the calls to Botpress, the reply and each delivery with its tries and pauses, drawn to time', async () => {
    const { page } = await open()
    await letEndpoint(page, 'answer 500')
    await sendByForm(page, 'Hello')
    await openTrace(page, /Hello.*3 tries/)
    for (const step of [
      /^backendPOST \/webhook200[\d.]+ m?s/,
      /^BotpressPOST \/conversations\/get-or-create200/,
      /^BotpressPOST \/users\/get-or-create200/,
      /^BotpressPOST \/messages\/get-or-create200/,
      /^botYou said: Hello3 triesdelivered/,
      /^endpointtry 1500/,
      /^endpointtry 2after \d+.* m?s500/,
      /^endpointtry 3after \d\.\d s204/,
    ]) {
      await steps(page, step).waitFor()
    }
    await page.getByText('The endpoint’s answers: 500, 500, then 204.').waitFor()
    const bars = `[...document.querySelectorAll('.waterfall .try .bar')].map((bar) => bar.getBoundingClientRect().left)`
    const [first, second, third] = await page.evaluate<number[]>(bars)
    // The pauses are of about one second, and of two.
    expect(third! - second!).toBeGreaterThan((second! - first!) * 1.3)
    const pauses = `[...document.querySelectorAll('.waterfall .pause')].map((pause) => pause.getBoundingClientRect().width > 10)`
    expect(await page.evaluate(pauses)).toEqual([true, true])
  })

  it('shows what the bot sent, and as what text it went out; and as what a number of the user reached the bot', async () => {
    const { page } = await open({ plainText: true })
    await sendByForm(page, 'choice')
    await openTrace(page, /choice.*delivered/)
    await steps(page, /^bot/).click()
    const article = (name: string, text: string | RegExp) =>
      page.getByRole('article', { name }).filter({ hasText: text }).waitFor()
    await article('A message of the bot', /choice.*options.*label.*Small/)
    await article('A message of the bot', /What plain text made of it.*1\. Small\n2\. Large/s)
    await steps(page, /^endpointtry 1/).click()
    await article('integration to endpoint', '1. Small\\n2. Large')
    await sendByForm(page, '2')
    await said(page, 'You said: Large').waitFor()
    await openTrace(page, /Large.*delivered/)
    await steps(page, /^backendPOST/).click()
    await article('backend to webhook', /text.*"2"/)
    await steps(page, /messages.get-or-create/).click()
    await article('integration to Botpress', /"Large".*"large"/)
  })

  it('scrolls to its bubbles, also to those that were not drawn any more', async () => {
    const { page, sandbox } = await open()
    await send(sandbox, messageBody({ text: 'Long ago' }))
    await sendByForm(page, 'burst 110')
    await said(page, '110 of 110').waitFor()
    await openTrace(page, 'Long ago')
    const bubble = said(page, 'You said: Long ago')
    await bubble.waitFor()
    const { y, height } = (await bubble.boundingBox())!
    expect(y).toBeGreaterThan(0)
    expect(y + height).toBeLessThan(900)
  })

  it('says what became of it at a redelivery, and no longer why it was not delivered', async () => {
    const { page } = await open()
    await letEndpoint(page, 'answer 302')
    await sendByForm(page, 'Lost')
    await openTrace(page, /Lost.*not delivered/)
    const detail = page.locator('#detail')
    await detail.getByText(/was not delivered in 1 try/).waitFor()
    await letEndpoint(page, 'normal')
    await page.getByRole('button', { name: 'Redeliver the reply' }).click()
    await traces(page, /Lost.*delivered/).waitFor()
    await steps(page, /^endpointredelivery, try 1204/).waitFor()
    await expect.poll(() => detail.getByText(/was not delivered/).count()).toBe(0)
  })

  it('is opened by a click on its bubble, and shows which bubbles are its own', async () => {
    const { page } = await open()
    for (const text of ['One', 'Two']) {
      await sendByForm(page, text)
      await said(page, `You said: ${text}`).waitFor()
    }
    await said(page, 'You said: One').click()
    await page.getByRole('heading', { name: 'One', exact: true }).waitFor()
    // It begins with the message that was clicked.
    await page.getByRole('article', { name: 'A message of the bot' }).getByText('"You said: One"').waitFor()
    expect(await traces(page, 'One').getAttribute('aria-selected')).toBe('true')
    await openTrace(page, 'Two')
    const own = page.locator('.bubble.open')
    await expect
      .poll(() => own.allTextContents())
      .toEqual([expect.stringContaining('Two'), expect.stringContaining('You said: Two')])
  })

  it('keeps what belongs to it apart from what happens at the same time, by ids', async () => {
    const { page, sandbox } = await open()
    await letEndpoint(page, 'answer 500')
    await Promise.all(
      [1, 2, 3, 4].map((n) => send(sandbox, messageBody({ text: `no. ${n}`, conversationId: 'c', userId: 'u' })))
    )
    await expect.poll(() => traces(page, /no\. \d.*1 reply/).count(), { timeout: 20_000 }).toBe(4)
    await expect.poll(() => traces(page, 'delivered').count(), { timeout: 20_000 }).toBe(5)
    for (const n of [1, 2, 3, 4]) {
      await openTrace(page, `no. ${n}`)
      expect(await steps(page, /^backend/).count()).toBe(1)
      expect(await steps(page, /^botYou said: no\. /).allTextContents()).toEqual([
        expect.stringContaining(`You said: no. ${n}`),
      ])
      expect(await steps(page, /messages\/get-or-create/).count()).toBe(1)
      // Another delivery may have brought it too.
      await steps(page, /^endpoint.*204/)
        .first()
        .click()
      await page.locator('#detail article').getByText(`"You said: no. ${n}"`).waitFor()
    }
  })

  it('folds the looks of a waiting request into one row with a count', async () => {
    const { page, sandbox } = await open({ bot: () => [] })
    await send(sandbox, messageBody({ text: 'Wait' }), { headers: { prefer: 'wait=3' } })
    await openTrace(page, 'Wait')
    const looks = steps(page, /looks for messages/)
    expect(await looks.count()).toBe(1)
    expect(Number((await looks.textContent())!.match(/Botpress(\d+) looks/)![1])).toBeGreaterThan(2)
    await looks.click()
    expect(await page.locator('#detail article').count()).toBeGreaterThan(2)
  })
})
