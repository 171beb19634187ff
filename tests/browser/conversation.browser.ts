import { describe, expect, it } from 'vitest'
import { demoMessages } from '../../sandbox/bot/demo-messages'
import { messageBody, send } from '../harness/backend'
import { sandboxForTest } from '../harness/for-test'
import {
  announced,
  letEndpoint,
  messages,
  open,
  openPage,
  said,
  saidAs,
  sendByForm,
  setFault,
  traces,
} from './inspector'

describe('the chat', () => {
  it('sends a message by the form, and shows the reply', async () => {
    const { page } = await open()
    await sendByForm(page, 'Good morning')
    await said(page, 'You said: Good morning').getByText('delivered', { exact: true }).waitFor()
    expect(await messages(page).count()).toBe(2)
  })

  it('shows at once what comes from elsewhere', async () => {
    const { page, sandbox } = await open()
    await send(sandbox, messageBody({ text: 'From a terminal' }))
    await said(page, 'You said: From a terminal').waitFor()
  })

  it('shows what was there before it was opened', async () => {
    const sandbox = await sandboxForTest({ page: true })
    await send(sandbox, messageBody({ text: 'Early' }))
    await sandbox.settled()
    const page = await openPage(sandbox)
    await said(page, 'You said: Early').waitFor()
  })

  it('shows a message of each type', async () => {
    const { page } = await open()
    for (const [name, payload] of Object.entries(demoMessages('http://localhost/demo'))) {
      await sendByForm(page, name)
      const reply = saidAs(page, name)
      await reply.waitFor()
      expect(await reply.locator('pre').count(), name).toBe(name === 'any' ? 1 : 0)
      const words = JSON.stringify(payload).match(/Espresso|Which size|The café|menu|Open|"order"/)?.[0]
      expect(await reply.textContent()).toContain(words ?? String(Object.values(payload)[0]).split('/demo/')[1])
    }
  })

  it('shows pictures, which the sandbox serves', async () => {
    const { page } = await open()
    for (const name of ['image', 'card', 'carousel']) {
      await sendByForm(page, name)
      await saidAs(page, name).locator('img').first().waitFor()
      const broken = `[...document.querySelectorAll('#chat img')].filter(({ complete, naturalWidth }) => !complete || !naturalWidth).length`
      await expect.poll(() => page.evaluate(broken)).toBe(0)
    }
  })

  it('can play sounds and films, and open files, which the sandbox serves', async () => {
    const { page, sandbox } = await open()
    for (const [file, type] of [
      ['bell.wav', 'audio/wav'],
      ['tour.webm', 'video/webm'],
      ['menu.pdf', 'application/pdf'],
    ]) {
      const { status, headers } = await fetch(new URL(`/demo/${file}`, sandbox.webhookUrl))
      expect([status, headers.get('content-type')]).toEqual([200, type])
    }
    for (const element of ['audio', 'video']) {
      await sendByForm(page, element)
      await page.locator(`#chat ${element}`).waitFor()
      const duration = `new Promise((resolve, reject) => {
        const media = document.querySelector('#chat ${element}')
        Object.assign(media, { preload: 'metadata', onloadedmetadata: () => resolve(media.duration), onerror: reject }).load()
      })`
      expect(await page.evaluate(duration)).toBeGreaterThan(0.5)
    }
  })

  it('answers with a button in the bubble’s own conversation', async () => {
    const { page, sandbox } = await open()
    await send(sandbox, messageBody({ text: 'choice', conversationId: 'lunch', userId: 'grace' }))
    await sendByForm(page, 'Hello')
    await said(page, 'You said: Hello').waitFor()
    await page.getByRole('button', { name: 'Large' }).click()
    await said(page, 'You said: large').waitFor()
    const sent = sandbox.chat.messages.all().findLast(({ direction }) => direction === 'incoming')!
    expect(sent.payload).toEqual({ text: 'large' })
    expect(sandbox.chat.conversations.get(sent.conversationId).tags).toEqual({ id: 'lunch' })
    expect(sandbox.chat.users.get(sent.userId).tags).toEqual({ id: 'grace' })
  })

  it('keeps line breaks, and lets a text run its own way', async () => {
    const { page } = await open({ bot: () => [{ type: 'text', payload: { text: 'שלום\nעולם' } }] })
    await sendByForm(page, 'Hello')
    await said(page, 'שלום').waitFor()
    const style = `getComputedStyle(document.querySelector('.outgoing .text'))`
    expect(await page.evaluate(`[${style}.whiteSpace, ${style}.direction]`)).toEqual(['pre-wrap', 'rtl'])
  })

  it('shows how a delivery stands, and how it ended', async () => {
    const { page } = await open()
    await letEndpoint(page, 'answer 500')
    await sendByForm(page, 'Again')
    await said(page, 'You said: Again')
      .getByText(/retrying/)
      .waitFor()
    await said(page, 'You said: Again').getByText('delivered in 3 tries').waitFor()
  })

  it('redelivers what has failed, and what may have arrived', async () => {
    const { page } = await open()
    const marked = page.getByRole('group', { name: 'Not delivered, or perhaps' })
    await letEndpoint(page, 'be down')
    await sendByForm(page, 'Good morning')
    await said(page, /You said: Good morning.*not delivered in 4 tries: .* could not be reached/).waitFor()
    await marked.getByRole('button', { name: 'Redeliver 1 message that failed' }).click()
    await marked.getByText(/^Redelivered 0, not delivered 1\. The message .* could not be reached/).waitFor()
    await letEndpoint(page, 'normal')
    await marked.getByRole('button', { name: 'Redeliver 1 message that failed' }).click()
    await announced(page, 'Redelivered 1, not delivered 0')
    await said(page, 'You said: Good morning').getByText('delivered in 4 tries, redelivered').waitFor()
    await marked.waitFor({ state: 'detached' })

    await letEndpoint(page, 'answer 500')
    await setFault(page, 'Status of Endpoint', 504)
    await setFault(page, 'How often Endpoint does so', 1)
    await sendByForm(page, 'Perhaps')
    await marked.getByRole('button', { name: 'Send again 1 message that may have arrived' }).click()
    await expect.poll(() => marked.getByRole('button').count()).toBe(0)
  })

  it('shows what waits to be fetched as waiting, not as failed, and takes it', async () => {
    const { page, sandbox } = await open({ pull: true })
    await sendByForm(page, 'Hello')
    await traces(page, /Hello\s*waiting/).waitFor()
    await said(page, 'You said: Hello').getByText('waiting', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Take 1 message that waits' }).click()
    await traces(page, /Hello\s*delivered/).waitFor()
    expect(sandbox.chat.messages.all().filter(({ tags }) => tags['delivery'])).toEqual([])
  })

  it('scrolls to what this page has sent; when others write while you read above, “↓ new” says how many', async () => {
    const { page, sandbox } = await open()
    await sendByForm(page, 'burst 40')
    await said(page, '40 of 40').waitFor()
    const list = page.locator('#chat')
    const distance = () =>
      page.evaluate<number>(
        `(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight)(document.querySelector('#chat'))`
      )
    await expect.poll(distance).toBeLessThan(5)
    await list.hover()
    await page.mouse.wheel(0, -900)
    await expect.poll(distance).toBeGreaterThan(500)
    await send(sandbox, messageBody({ text: 'From elsewhere' }))
    const fresh = page.getByRole('button', { name: '↓ 2 new' })
    await fresh.waitFor()
    expect(await distance()).toBeGreaterThan(500)
    await fresh.click()
    await expect.poll(distance).toBeLessThan(5)
    await fresh.waitFor({ state: 'detached' })
    await page.mouse.wheel(0, -900)
    await expect.poll(distance).toBeGreaterThan(500)
    await sendByForm(page, 'From here')
    await said(page, 'You said: From here').waitFor()
    await expect.poll(distance).toBeLessThan(5)
  })

  it('groups by sender and minute, with the user’s id as the name; the bot’s buttons are those of a chat', async () => {
    const { page, sandbox } = await open()
    await sendByForm(page, 'burst 3')
    await said(page, '3 of 3').waitFor()
    const id = 'whatsapp:+33612345678'
    await send(sandbox, messageBody({ text: 'choice', conversationId: id, userId: id }))
    await said(page, 'Which size?').waitFor()
    const senders = (await page.locator('#chat > .sender').allTextContents()).map((text) => text.replace(/\s+/g, ' '))
    const names = senders.map((text) => text.replace(/ · \d\d:\d\d$/, ''))
    // A minute may end between two of them.
    expect(names.filter((name, index) => name !== names[index - 1])).toEqual([
      'ada in tea',
      'bot in tea',
      `${id} in ${id}`,
      `bot in ${id}`,
    ])
    expect(names.length).toBeLessThan(6)
    const widths = `[...document.querySelectorAll('.options button')].map((button) => button.offsetWidth / button.parentElement.offsetWidth)`
    expect(await page.evaluate(widths)).toEqual([1, 1])
  })

  it('shows the last hundred messages, and earlier ones on demand', async () => {
    const { page } = await open()
    await sendByForm(page, 'burst 120')
    await said(page, '120 of 120').waitFor()
    await expect.poll(() => messages(page).count()).toBe(100)
    await page.getByRole('button', { name: 'Show earlier messages (21)' }).click()
    await expect.poll(() => messages(page).count()).toBe(121)
  })
})

describe('conversations', () => {
  it('stand with their last words; choosing one filters chat and wire, and sets where the form writes', async () => {
    const { page, sandbox } = await open()
    const pane = page.getByRole('navigation', { name: 'Conversations' })
    await send(sandbox, messageBody({ text: 'Cake', conversationId: 'tea', userId: 'ada' }))
    await send(sandbox, messageBody({ text: 'Soup', conversationId: 'lunch', userId: 'grace' }))
    await pane.getByRole('button', { name: /lunch.*You said: Soup/ }).click()
    await expect.poll(() => messages(page).count()).toBe(2)
    await expect.poll(() => traces(page).count()).toBe(1)
    await sendByForm(page, 'Bread')
    await said(page, 'You said: Bread').waitFor()
    const sent = sandbox.chat.messages.all().findLast(({ direction }) => direction === 'incoming')!
    expect(sandbox.chat.conversations.get(sent.conversationId).tags['id']).toBe('lunch')
    await pane.getByRole('button', { name: 'All' }).click()
    await expect.poll(() => messages(page).count()).toBe(6)
  })

  it('count what is unread, and what has failed', async () => {
    const { page, sandbox } = await open()
    const pane = page.getByRole('navigation', { name: 'Conversations' })
    await send(sandbox, messageBody({ conversationId: 'tea' }))
    await pane.getByRole('button', { name: /tea/ }).click()
    await sandbox.settled()
    await letEndpoint(page, 'answer 302')
    await setFault(page, 'How often Endpoint does so', 3)
    await send(sandbox, messageBody({ text: 'burst 3', conversationId: 'lunch' }))
    await pane.getByRole('button', { name: /lunch.*3 new.*3 failed/ }).waitFor()
    await pane.getByRole('button', { name: /lunch/ }).click()
    await pane.getByText('3 new').waitFor({ state: 'detached' })
    await pane.getByRole('button', { name: /lunch.*3 failed/ }).waitFor()
  })

  it('count nothing as unread that was shown', async () => {
    const { page, sandbox } = await open()
    await send(sandbox, messageBody({ text: 'One', conversationId: 'lunch' }))
    await said(page, 'You said: One').waitFor()
    const list = page.getByRole('navigation', { name: 'Conversations' })
    await send(sandbox, messageBody({ text: 'Two', conversationId: 'tea' }))
    await said(page, 'You said: Two').waitFor()
    await list.getByRole('button', { name: /^tea/ }).click()
    await said(page, 'You said: Two').waitFor()
    expect(await list.getByText(/new$/).count()).toBe(0)
    await page.getByRole('button', { name: 'Show all' }).click()
    await list.getByRole('button', { name: /^lunch/ }).click()
    await said(page, 'You said: One').waitFor()
    expect(await list.getByText(/new$/).count()).toBe(0)
  })

  it('can be begun', async () => {
    const { page, sandbox } = await open()
    await page.getByRole('button', { name: 'New conversation' }).click()
    await sendByForm(page, 'First')
    await said(page, 'You said: First').waitFor()
    expect(sandbox.chat.conversations.all().map(({ tags }) => tags['id'])).toEqual(['conversation-1'])
  })
})
