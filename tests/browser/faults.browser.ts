import { describe, expect, it } from 'vitest'
import { endpointForTest } from '../harness/for-test'
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

const times = 'How often Endpoint does so'

describe('what goes wrong', () => {
  it('is that the endpoint fails as often as is set, with a status, and counts down', async () => {
    const { page } = await open()
    await letEndpoint(page, 'answer 500')
    await setFault(page, 'Status of Endpoint', 507)
    await setFault(page, times, 3)
    await sendByForm(page, 'Hello')
    await expect.poll(() => page.getByLabel(times).inputValue()).toBe('2')
    await said(page, 'You said: Hello').getByText('delivered in 4 tries').waitFor()
    await openTrace(page, /Hello/)
    expect(await steps(page, /^endpoint.*507/).count()).toBe(3)
    expect(await page.getByLabel('What Endpoint does').inputValue()).toBe('normal')
  })

  it('is that it redirects', async () => {
    const { page } = await open()
    await letEndpoint(page, 'answer 302')
    await sendByForm(page, 'Nowhere')
    await said(page, /not delivered: .*a redirect to/).waitFor()
  })

  it('is that it hangs: the message may have arrived', { timeout: 90_000 }, async () => {
    const { page } = await open()
    await letEndpoint(page, 'hang')
    await setFault(page, times, 1)
    await sendByForm(page, 'Slow')
    await said(page, /You said: Slow.*under way/).waitFor()
    await said(page, /perhaps delivered: .* did not answer in time/).waitFor({ timeout: 60_000 })
  })

  it('is that it is down, until it is switched back', async () => {
    const { page } = await open()
    await letEndpoint(page, 'be down')
    await sendByForm(page, 'Hello')
    await traces(page, /Hello.*retrying/).waitFor()
    await letEndpoint(page, 'normal')
    await said(page, 'You said: Hello')
      .getByText(/delivered in \d tries/)
      .waitFor()
  })

  it('is that Botpress answers 429 or 502 as often as is set, and counts down', async () => {
    const { page } = await open()
    for (const [does, status] of [
      ['rate-limit', 429],
      ['answer', 502],
    ] as const) {
      await page.getByLabel('What Botpress does').selectOption(does)
      await setFault(page, 'How often Botpress does so', 2)
      await sendByForm(page, `Patience after ${status}`)
      await said(page, `You said: Patience after ${status}`).getByText('delivered').waitFor()
      expect(await page.getByLabel('What Botpress does').inputValue()).toBe('normal')
      await openTrace(page, `Patience after ${status}`)
      expect(await steps(page, new RegExp(`^Botpress.*${status}`)).count()).toBe(2)
    }
  })

  it('is that both take their time as often as is set, and counts down', async () => {
    const { page } = await open()
    await letEndpoint(page, 'answer late')
    await setFault(page, 'Delay of Endpoint in milliseconds', 400)
    await setFault(page, 'How often Endpoint does so', 1)
    await page.getByLabel('What Botpress does').selectOption('answer late')
    await setFault(page, 'Delay of Botpress in milliseconds', 300)
    await setFault(page, 'How often Botpress does so', 100)
    await sendByForm(page, 'Slow')
    await openTrace(page, /Slow.*delivered/)
    await steps(page, /^endpointtry 1204[4-9]\d\d ms/).waitFor()
    await steps(page, /messages\/get-or-create200[3-9]\d\d ms/).waitFor()
    expect(await page.getByLabel('What Endpoint does').inputValue()).toBe('normal')
    expect(Number(await page.getByLabel('How often Botpress does so').inputValue())).toBeLessThan(100)
  })

  it('is the same in every tab, and set back with one button', async () => {
    const { page, sandbox } = await open()
    const other = await openPage(sandbox)
    await letEndpoint(page, 'answer 500')
    await page.getByLabel('What Botpress does').selectOption('rate-limit')
    await setFault(page, 'How often Botpress does so', 1)
    await expect.poll(() => other.getByLabel('What Endpoint does').inputValue()).toBe('answer')
    await sendByForm(other, 'Hello')
    await said(page, 'You said: Hello').getByText('delivered in 3 tries').waitFor()
    for (const tab of [page, other]) {
      await expect.poll(() => tab.getByLabel('What Endpoint does').inputValue()).toBe('normal')
      await expect.poll(() => tab.getByLabel('What Botpress does').inputValue()).toBe('normal')
    }
    await letEndpoint(other, 'be down')
    await page.getByRole('button', { name: 'Stop' }).click()
    await expect.poll(() => other.getByLabel('What Endpoint does').inputValue()).toBe('normal')
    expect(await messages(page).count()).toBe(2)
  })

  it('is set for an endpoint of one’s own too; a chip in the header says what is set, with a stop', async () => {
    const endpoint = await endpointForTest()
    const { page } = await open({ endpoint: endpoint.url })
    await letEndpoint(page, 'answer 503')
    await page.getByLabel('What Botpress does').selectOption('rate-limit')
    const chip = page.getByRole('group', { name: 'Set to go wrong' })
    await chip.getByText('Endpoint: answer 503, 2 more; Botpress: rate-limit, 3 more').waitFor()
    await sendByForm(page, 'Hello')
    await said(page, 'You said: Hello').getByText('delivered in 3 tries').waitFor()
    expect(endpoint.messages()).toHaveLength(1)
    await expect.poll(() => chip.count()).toBe(0)
    await letEndpoint(page, 'hang')
    await chip.getByText('Endpoint: hang, 2 more').waitFor()
    await chip.getByRole('button', { name: 'Stop' }).click()
    await chip.waitFor({ state: 'detached' })
    expect(await page.getByLabel('What Endpoint does').inputValue()).toBe('normal')
  })

  it('is what was set last, though earlier changes are slow on their way', async () => {
    const { page } = await open()
    const delays = [400, 200, 0]
    let answered = 0
    await page.route('**/control/faults', async (route) => {
      await new Promise((resolve) => setTimeout(resolve, delays.shift()))
      await route.fulfill({ response: await route.fetch() })
      answered++
    })
    await letEndpoint(page, 'answer 503')
    await page.getByLabel('What Botpress does').selectOption('rate-limit')
    await expect.poll(() => answered).toBe(3)
    await page.reload()
    const chip = page.getByRole('group', { name: 'Set to go wrong' })
    await chip.getByText('Endpoint: answer 503, 2 more; Botpress: rate-limit, 3 more').waitFor()
  })

  it('says what it refuses', async () => {
    const { page } = await open()
    await letEndpoint(page, 'answer 500')
    await setFault(page, 'Status of Endpoint', 200)
    await page.getByRole('alert').getByText('The status is 300 to 599').waitFor()
    expect(await page.getByLabel('Status of Endpoint').inputValue()).toBe('500')
    await setFault(page, times, 1001)
    await page.getByRole('alert').getByText('How often is 1 to 1,000').waitFor()
    await setFault(page, times, 4)
    await page.getByRole('alert').waitFor({ state: 'detached' })
  })
})
