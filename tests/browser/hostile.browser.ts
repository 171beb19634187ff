import { describe, expect, it } from 'vitest'
import { messageBody, send } from '../harness/backend'
import { open, said, steps, traces } from './inspector'

describe('hostile text is inert', () => {
  const attack = `<script>window.hacked = 1</script><img src=x onerror="window.hacked = 2">`
  const payloads: [string, Record<string, unknown>][] = [
    ['text', { text: attack }],
    [
      'markdown',
      { markdown: `${attack} **${attack}** [${attack}](javascript:window.hacked=3) [x](javascript:window.hacked=3)` },
    ],
    ['image', { imageUrl: 'javascript:window.hacked=4' }],
    ['image', { imageUrl: `x" onerror="window.hacked=4` }],
    ['audio', { audioUrl: 'javascript:window.hacked=4' }],
    ['video', { videoUrl: 'javascript:window.hacked=4' }],
    ['file', { fileUrl: 'javascript:window.hacked=5', title: attack }],
    [
      'card',
      {
        title: attack,
        subtitle: attack,
        actions: [{ action: 'url', label: attack, value: 'javascript:window.hacked=6' }],
      },
    ],
    ['choice', { text: attack, options: [{ label: attack, value: attack }] }],
    ['choice', { text: attack, options: [{ label: { type: 'script', props: {} }, value: attack }] }],
    ['text', { text: { type: 'img', props: { src: 'x', onerror: 'window.hacked=7' }, key: null, ref: null } }],
    ['bloc', { items: 5 }],
    ['carousel', { items: [null] }],
    [attack, { [attack]: attack }],
    ['__proto__', { a: 1 }],
    ['constructor', { a: 1 }],
  ]
  it('in a message of any type', async () => {
    const { page, sandbox } = await open({ bot: () => [{ type: 'text', payload: { text: 'end' } }] })
    const { body } = await send(sandbox, messageBody({ text: attack, conversationId: attack, userId: attack }))
    for (const [index, [type, payload]] of payloads.entries()) {
      await sandbox.say(body.conversation.id, { type, payload })
      await sandbox.say(body.conversation.id, { type: 'text', payload: { text: `last of ${index}` } })
      await said(page, `last of ${index}`).waitFor()
      // The newest come first.
      for (const trace of (await traces(page).all()).slice(0, 2)) {
        await trace.click()
        await steps(page).last().click()
        await page.locator('#detail article').first().waitFor()
        expect(await page.locator('main script, main [onerror], #wire img, #detail img').count()).toBe(0)
      }
    }
    for (const link of await page.locator('#chat a, #detail a').all()) {
      expect(await link.getAttribute('href')).toMatch(/^https?:|^\/guide#/)
    }
    expect(await page.evaluate('window.hacked')).toBeUndefined()
  })
})
