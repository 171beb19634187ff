import { describe, it, type TestContext } from 'vitest'
import { startSandbox } from '../../sandbox/sandbox'
import { puller } from './puller'

const pullerOfItsOwn = (onTestFinished: TestContext['onTestFinished'], options?: Parameters<typeof puller>[0]) =>
  puller(options, async (all) => {
    const sandbox = await startSandbox(all)
    onTestFinished(sandbox.close)
    return sandbox
  })

// Each takes as long as the integration's patience: side by side.
describe.concurrent('POST {webhook URL}/pull when Botpress fails or is slow', () => {
  it('is 502 where a mark cannot be removed, and the same request can be repeated', async ({
    expect,
    onTestFinished,
  }) => {
    const { say, pull, idsOf, failWith } = await pullerOfItsOwn(onTestFinished)
    await say('one')
    const taken = idsOf(await pull())
    failWith(({ operation }) => (operation === 'updateMessage' ? { answer: { status: 500 } } : undefined))
    expect((await pull({ taken })).status).toBe(502)
    failWith(() => undefined)
    expect((await pull({ taken })).body).toEqual({ messages: [], more: false })
  })

  it('is 502 too where Botpress refuses to remove a mark for good; but an id that it never gave is passed over', async ({
    expect,
    onTestFinished,
  }) => {
    const { say, pull, idsOf, failWith } = await pullerOfItsOwn(onTestFinished)
    await say('one')
    const taken = idsOf(await pull())
    failWith(({ operation }) => (operation === 'updateMessage' ? { answer: { status: 400 } } : undefined))
    const { status, body } = await pull({ taken })
    expect([status, body.detail]).toEqual([
      502,
      expect.stringContaining(`the mark of ${taken[0]} could not be removed`),
    ])
    failWith(({ operation }) => (/^(update|get)Message$/.test(operation) ? { answer: { status: 400 } } : undefined))
    expect(await pull({ taken: ['msg_ofAnotherForm'] })).toMatchObject({
      status: 200,
      body: { messages: { length: 1 } },
    })
  })

  it('a long conversation comes in order, though Botpress is slow to list it', async ({ expect, onTestFinished }) => {
    const texts = Array.from({ length: 130 }, (_, index) => `${index}`)
    const { say, pull, textsOf, idsOf, failWith } = await pullerOfItsOwn(onTestFinished, {
      bot: () => texts.map((text) => ({ type: 'text', payload: { text } })),
    })
    await say('go')
    failWith(({ operation }) => (operation === 'listMessages' ? { delayMs: 600 } : undefined))
    const first = await pull({ limit: 100 })
    expect(textsOf(first)).toEqual(texts.slice(0, 100))
    expect(textsOf(await pull({ taken: idsOf(first), limit: 100 }))).toEqual(texts.slice(100))
  })

  it('where marks cannot be removed, no other removal runs on after the answer', async ({ expect, onTestFinished }) => {
    const { say, pull, idsOf, failWith, calls } = await pullerOfItsOwn(onTestFinished, {
      bot: () => Array.from({ length: 5 }, (_, index) => ({ type: 'text', payload: { text: `${index}` } })),
    })
    await say('go')
    const taken = idsOf(await pull())
    failWith(({ operation, input }) => {
      if (operation !== 'updateMessage') return undefined
      return input['id'] === taken[0] ? { answer: { status: 403 } } : { answer: { status: 503 } }
    })
    expect((await pull({ taken })).status).toBe(403)
    const removals = () => calls.filter(({ operation }) => operation === 'updateMessage').length
    const made = removals()
    // An instance stands still between two calls.
    await pull({ delivery: 'failed' }, 'wait=3')
    expect(removals()).toBe(made)
  })

  it('a wait of a second ends soon though Botpress hangs', async ({ expect, onTestFinished }) => {
    const { pull, failWith } = await pullerOfItsOwn(onTestFinished)
    failWith(({ operation }) => (operation === 'listMessages' ? { delayMs: 60_000 } : undefined))
    const start = performance.now()
    expect((await pull({}, 'wait=1')).status).toBe(504)
    expect(performance.now() - start).toBeLessThan(13_000)
  })
})
