import { describe, expect, it } from 'vitest'
import {
  letEndpoint,
  messages,
  open,
  openPage,
  openTrace,
  said,
  sendByForm,
  setFault,
  steps,
  traces,
} from './inspector'

const times = 'How often the endpoint does so'

describe('what goes wrong', () => {
  it('is that the endpoint fails as often as is set, with a status, and counts down', async () => {
    const { page } = await open()
    await letEndpoint(page, 'fails')
    await setFault(page, 'The endpoint’s status', 507)
    await setFault(page, times, 3)
    await sendByForm(page, 'Hello')
    await expect.poll(() => page.getByLabel(times).inputValue()).toBe('2')
    await said(page, 'You said: Hello').getByText('delivered in 4 tries').waitFor()
    await openTrace(page, /Hello/)
    expect(await steps(page, /^endpoint.*507/).count()).toBe(3)
    expect(await page.getByLabel('What the endpoint does').inputValue()).toBe('answers')
  })

  it('is that it redirects', async () => {
    const { page } = await open()
    await letEndpoint(page, 'redirects')
    await sendByForm(page, 'Nowhere')
    await said(page, /not delivered: .*a redirect to/).waitFor()
  })

  it('is that it hangs: the message may have arrived', { timeout: 90_000 }, async () => {
    const { page } = await open()
    await letEndpoint(page, 'hangs')
    await setFault(page, times, 1)
    await sendByForm(page, 'Slow')
    await said(page, /You said: Slow.*under way/).waitFor()
    await said(page, /may have arrived, in 1 try: .* did not answer in time/).waitFor({ timeout: 60_000 })
  })

  it('is that it is down, until it is switched back', async () => {
    const { page } = await open()
    await letEndpoint(page, 'is down')
    await sendByForm(page, 'Hello')
    await traces(page, /Hello.*retrying/).waitFor()
    await letEndpoint(page, 'answers')
    await said(page, 'You said: Hello')
      .getByText(/delivered in \d tries/)
      .waitFor()
  })

  it('is that Botpress answers 429 or 502 as often as is set, and counts down', async () => {
    const { page } = await open()
    for (const status of [429, 502]) {
      await setFault(page, 'Botpress’s status', status)
      await setFault(page, 'How often Botpress fails', 2)
      await sendByForm(page, `Patience after ${status}`)
      await said(page, `You said: Patience after ${status}`).getByText('delivered').waitFor()
      expect(await page.getByLabel('How often Botpress fails').inputValue()).toBe('0')
      await openTrace(page, `Patience after ${status}`)
      expect(await steps(page, new RegExp(`^Botpress.*${status}`)).count()).toBe(2)
    }
  })

  it('is that both take their time as often as is set, and counts down', async () => {
    const { page } = await open()
    await setFault(page, 'The endpoint’s delay in milliseconds', 400)
    await setFault(page, 'The endpoint’s delay: how often', 1)
    await setFault(page, 'Botpress’s delay in milliseconds', 300)
    await setFault(page, 'Botpress’s delay: how often', 100)
    await sendByForm(page, 'Slow')
    await openTrace(page, /Slow.*delivered/)
    await steps(page, /^endpointtry 1204[4-9]\d\d ms/).waitFor()
    await steps(page, /messages\/get-or-create200[3-9]\d\d ms/).waitFor()
    expect(await page.getByLabel('The endpoint’s delay in milliseconds').inputValue()).toBe('0')
    expect(Number(await page.getByLabel('Botpress’s delay: how often').inputValue())).toBeLessThan(100)
  })

  it('is the same in every tab, and set back with one button', async () => {
    const { page, sandbox } = await open()
    const other = await openPage(sandbox)
    await letEndpoint(page, 'fails')
    await setFault(page, 'How often Botpress fails', 1)
    await expect.poll(() => other.getByLabel('What the endpoint does').inputValue()).toBe('fails')
    await sendByForm(other, 'Hello')
    await said(page, 'You said: Hello').getByText('delivered in 3 tries').waitFor()
    for (const tab of [page, other]) {
      await expect.poll(() => tab.getByLabel('What the endpoint does').inputValue()).toBe('answers')
      await expect.poll(() => tab.getByLabel('How often Botpress fails').inputValue()).toBe('0')
    }
    await letEndpoint(other, 'is down')
    await page.getByRole('button', { name: 'Reset' }).click()
    await expect.poll(() => other.getByLabel('What the endpoint does').inputValue()).toBe('answers')
    expect(await messages(page).count()).toBe(2)
  })

  it('says what it refuses', async () => {
    const { page } = await open()
    await letEndpoint(page, 'fails')
    await setFault(page, 'The endpoint’s status', 200)
    await page.getByRole('alert').getByText('The status is 300 to 599').waitFor()
    expect(await page.getByLabel('The endpoint’s status').inputValue()).toBe('500')
    await setFault(page, times, 1001)
    await page.getByRole('alert').getByText('How often is 1 to 1,000').waitFor()
    await setFault(page, times, 4)
    await page.getByRole('alert').waitFor({ state: 'detached' })
  })
})
