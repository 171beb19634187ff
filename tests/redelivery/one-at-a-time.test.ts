import { describe, expect, it } from 'vitest'
import { endpointForTest } from '../harness/for-test'
import { DAY, MINUTE, beginAnewForEachTest, missed, missedOnes, outage, redeliver, say, start, texts } from './outage'

const refusal = {
  answer: { status: 403, body: { id: 'err_1', code: 403, type: 'Forbidden', message: 'The reason' } },
}

beginAnewForEachTest()

describe('one redelivery at a time', () => {
  const lockOf = (untilMs: number, more = {}) => {
    const payload = { holder: 'another', until: Date.now() + untilMs, ...more }
    const { chat, integrationId: id } = outage.sandbox
    chat.states.getOrSet({ type: 'integration', id, name: 'redelivery', payload })
  }

  it('of instances that find the same at the same time, warm and cold, one delivers it', async () => {
    const own = await start({ maxInstances: 4 })
    await say('warm', own)
    for (let number = 1; number <= 45; number++) missed(`${number}`, { from: own })
    outage.sandbox.elapse(5 * MINUTE)
    await Promise.all(['a', 'b', 'c', 'd'].map((text) => say(text, own)))
    const redelivered = texts().filter((text) => Number(text))
    expect(redelivered).toEqual(Array.from({ length: 45 }, (_, index) => `${index + 1}`))
    expect(own.chat.messages.all().flatMap(({ tags }) => Object.keys(tags))).toEqual([])
    expect(own.chat.states.all()).toEqual([])
  })

  it('of requests too: the others answer that more waits, and why', async () => {
    const own = await start({ maxInstances: 4 })
    outage.sandbox = own
    for (let number = 1; number <= 45; number++) missed(`${number}`)
    const bodies = (await Promise.all([1, 2, 3, 4].map(() => redeliver()))).map(({ body }) => body)
    expect(texts().toSorted()).toEqual(Array.from({ length: 45 }, (_, index) => `${index + 1}`).toSorted())
    const held = { delivered: 0, undelivered: 0, more: true, reason: expect.stringContaining('Another redelivery') }
    const done = { delivered: 0, undelivered: 0, more: false }
    for (const body of bodies.filter(({ delivered }) => delivered === 0)) expect([held, done]).toContainEqual(body)
    expect(bodies.filter(({ delivered }) => delivered === 45)).toHaveLength(1)
  })

  it('the lock is taken only if something is marked, and given back', async () => {
    await say('a')
    expect(outage.events).toEqual(['try a', 'look for failed'])
    missed('1')
    outage.events = []
    await redeliver()
    const events = outage.events.filter((event) => !event.startsWith('mark'))
    expect(events.slice(0, 2)).toEqual(['look for failed', 'lock'])
    expect(events.at(-1)).toBe('unlock')
    expect(texts()).toEqual(['a', '1'])
    expect(outage.sandbox.chat.states.all()).toEqual([])
  })

  it('while another call has it, nothing is tried; until the deadline of that call', async () => {
    missed('1')
    lockOf(45_000)
    await outage.sandbox.register()
    expect((await redeliver()).body).toEqual({
      delivered: 0,
      undelivered: 0,
      more: true,
      reason: 'Another redelivery is at work. Ask again after a few seconds.',
    })
    expect(texts()).toEqual([])
    outage.sandbox.elapse(45_000)
    await outage.sandbox.register()
    expect(texts()).toEqual(['1'])
    expect(outage.sandbox.chat.states.all()).toEqual([])
  })

  it('a lock that is dated a day ahead does not count', async () => {
    missed('1')
    lockOf(DAY)
    await outage.sandbox.register()
    expect(texts()).toEqual(['1'])
  })

  it('nor one that is not of its form', async () => {
    missed('1')
    let left = 1
    outage.faultOf = ({ operation }) =>
      operation === 'getOrSetState' && left-- > 0
        ? { answer: { status: 200, body: { state: { payload: { until: 'tomorrow' } }, meta: { cached: false } } } }
        : undefined
    await outage.sandbox.register()
    expect(texts()).toEqual(['1'])
  })

  it('an instance that is ended in its redelivery delays the next one by 45 s', async () => {
    missedOnes(2)
    const hanging = await endpointForTest(() => {})
    outage.sandbox.configure({ endpoint: hanging.url })
    const registering = outage.sandbox.register()
    await expect.poll(() => texts(hanging)).toEqual(['1'])
    await outage.sandbox.endInstance()
    await registering
    outage.sandbox.configure({ endpoint: outage.endpoint.url })
    expect((await redeliver()).body).toMatchObject({ delivered: 0, more: true })
    outage.sandbox.elapse(45_000)
    expect((await redeliver()).body).toMatchObject({ delivered: 2, more: false })
  })

  it('is removed once: a repeat could remove the lock of another call', async () => {
    missed('1')
    const busy = { reset: 'after write' as const }
    outage.faultOf = ({ operation }) => (operation === 'setState' ? busy : undefined)
    expect((await redeliver()).body).toMatchObject({ delivered: 1 })
    expect(outage.events.filter((event) => event === 'unlock')).toHaveLength(1)
    expect(outage.logged.join('\n')).toMatch(
      /The next redelivery may have to wait for 45 s, because Botpress failed: .*/
    )
  })

  it('a request goes on without it if Botpress refuses it to the caller', async () => {
    missed('1')
    outage.faultOf = ({ operation }) => (operation === 'getOrSetState' ? refusal : undefined)
    expect((await redeliver()).body).toEqual({ delivered: 1, undelivered: 0, more: false })
    const accessKey = 'k'.repeat(32)
    outage.sandbox.configure({ endpoint: outage.endpoint.url, accessKey })
    missed('2')
    const { body } = await redeliver({}, { authorization: `Bearer ${accessKey}` })
    expect(body).toEqual({ delivered: 1, undelivered: 0, more: false })
  })
})
