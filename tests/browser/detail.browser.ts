import { describe, expect, it } from 'vitest'
import { messageBody, send } from '../harness/backend'
import { endpointForTest } from '../harness/for-test'
import { clipboard, letEndpoint, open, openRequest, openTrace, sendByForm, setFault, steps } from './inspector'

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

describe('the detail', () => {
  it('groups by reply, folded above ten; a row shows its request in place', async () => {
    const { page } = await open()
    await sendByForm(page, 'burst 40')
    await openTrace(page, /burst 40.*40 replies/)
    await steps(page, /^bot3 of 40reply 3 of 40 · 1 trydelivered[\d.]+ m?s/).waitFor()
    expect(await steps(page, /^endpoint/).count()).toBe(0)
    const third = steps(page, /^bot3 of 40/)
    await third.click()
    await expect.poll(() => steps(page, /^endpointtry 1204/).count()).toBe(1)
    await steps(page, /^endpoint/).click()
    // Under the row of its try, which is under that of its message.
    const request = page.locator('.waterfall li').filter({ has: page.locator('.step.try') })
    await request.getByRole('article', { name: 'integration to endpoint' }).getByText('"3 of 40"').waitFor()
    await steps(page, /^endpoint/).click()
    await expect.poll(() => page.locator('#detail article').count()).toBe(0)
    await third.click()
    await third.click()
    await expect.poll(() => steps(page, /^endpoint/).count()).toBe(1)

    await sendByForm(page, 'burst 3')
    await openTrace(page, /burst 3.*3 replies/)
    expect(await steps(page, /^endpointtry 1/).count()).toBe(3)
  })

  it('has a summary that stays in sight, and a time axis', async () => {
    const { page } = await open()
    await letEndpoint(page, 'answer 500')
    await sendByForm(page, 'Hello')
    await openTrace(page, /Hello.*delivered/)
    expect(await page.locator('.axis').textContent()).toMatch(/^0 ms\d\.\d s$/)
    await page.setViewportSize({ width: 1440, height: 500 })
    await page.locator('#detail').hover()
    await page.mouse.wheel(0, 400)
    await expect.poll(() => page.evaluate(`document.querySelector('#detail').scrollTop`)).toBeGreaterThan(100)
    const summary = page.locator('#detail .summary')
    expect(await summary.textContent()).toMatch(/Hello\s*delivered.*1 reply · 3 tries · \d\.\d s/s)
    const heading = await page.getByRole('heading', { name: 'Hello', exact: true }).boundingBox()
    const detail = await page.locator('#detail').boundingBox()
    expect(heading!.y).toBeGreaterThanOrEqual(detail!.y)
    expect(heading!.y).toBeLessThan(detail!.y + 60)
  })

  it('has request, answer, headers, and JSON that folds; of the credential only its sort', async () => {
    const accessKey = 'k'.repeat(40)
    const { page, sandbox } = await open({ accessKey })
    await sendByForm(page, 'Hello')
    await openRequest(page, /Hello.*delivered/)
    const request = page.getByRole('article', { name: 'backend to webhook' })
    await request.getByText('Request headers').click()
    await request.getByText('Bearer ••• (access key)').waitFor()
    await request.getByText('"tea"').first().waitFor()
    const message = request.locator('details.json').filter({ hasText: 'message: {' }).last()
    await request.getByText('"incoming"').waitFor()
    await message.locator('summary').first().click()
    await request.getByText('"incoming"').waitFor({ state: 'detached' })
    for (const secret of [accessKey, sandbox.token]) {
      expect(await page.locator('#detail').textContent()).not.toContain(secret)
    }
  })

  it('has the endpoint’s answer, with its body', async () => {
    const endpoint = await endpointForTest((response) =>
      response.writeHead(418, { 'x-tea': 'pot', 'content-type': 'application/json' }).end('{"short":"and stout"}')
    )
    const { page } = await open({ endpoint: endpoint.url })
    await sendByForm(page, 'Tea')
    await openTrace(page, /Tea.*not delivered/)
    const delivery = page.getByRole('article', { name: 'integration to endpoint' })
    await delivery.getByText('"and stout"').waitFor()
    await delivery.getByText('Answer headers').click()
    await delivery.getByText('x-tea').waitFor()
    await delivery.getByText(/answered 418: it refuses the message/).waitFor()
    await letEndpoint(page, 'answer 500')
    await sendByForm(page, 'More tea')
    await openTrace(page, /More tea.*not delivered/)
    expect(await steps(page, /^endpoint.*(500|418)/).count()).toBe(3)
  })

  it('says that the signature is verified, and what was signed', async () => {
    const { page } = await open({ signingSecret: SECRET })
    await sendByForm(page, 'Hello')
    await openTrace(page, /Hello.*delivered/)
    await steps(page, /^endpointtry 1204/).click()
    await page.getByText('✓ signature verified').waitFor()
    await page.getByText(/msg_\w+\.\d{10}\.\{body\}/).waitFor()
  })

  it('explains an error of Botpress', async () => {
    const { page } = await open()
    await page.getByLabel('What Botpress does').selectOption('answer')
    await setFault(page, 'How often Botpress does so', 1)
    await sendByForm(page, 'Hello')
    await openTrace(page, /Hello.*delivered/)
    await page.getByText(/Botpress answered 502: Switched on in the sandbox/).waitFor()
  })

  it('cuts what is long, and shows all of it on demand', async () => {
    const { page, sandbox } = await open({ bot: () => [] })
    const payload = { note: 'x'.repeat(100_000), end: 'of it' }
    await send(sandbox, messageBody({ text: 'Long', payload }))
    await openRequest(page, 'Long')
    const request = page.getByRole('article', { name: 'backend to webhook' })
    const all = request.getByRole('button', { name: /Show all, 9\d,\d\d\d characters more/ }).first()
    await all.click()
    await request.getByText('"of it"').first().waitFor()
    await request.getByRole('button', { name: /Show all 100,000 characters/ }).click()
    expect((await request.locator('.string').allTextContents()).join('')).toContain('x'.repeat(100_000))
    await request.getByRole('button', { name: 'Copy JSON' }).first().click()
    await expect.poll(async () => JSON.parse(await clipboard(page)).payload).toEqual(payload)
    // No bubble is longer than what can be read.
    const height = await page.evaluate<number>(`document.querySelector('.bubble').getBoundingClientRect().height`)
    expect(height).toBeLessThan(900)
  })
})
