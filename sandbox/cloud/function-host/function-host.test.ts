import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { FunctionHost, type FunctionHostProps } from './function-host'

/** Does what the path of a request names. */
const CODE = `
let ticks = 0
setInterval(() => ticks++, 5)
const does = {
  tick: () => new Promise((resolve) => setTimeout(() => resolve(ticks), 50)),
  tock: () => new Promise((resolve) => setTimeout(resolve, 3000)),
  ticks: () => ticks,
  later: () => void setTimeout(() => console.log('later'), 10),
  hang: () => new Promise(() => {}),
  log: () => console.log(Array.from({ length: 1000 }, (_, index) => process.env.NAME + ' ' + index).join('\\n')),
  logAndLoop: () => { for (const text of ['a', 'b', 'c']) console.log(text); while (true); },
  logPart: () => void process.stdout.write('no end'),
  reject: () => Promise.reject(),
  rejectText: () => Promise.reject('bad luck'),
  rejectWeird: () => { throw { toString: 1 } },
  throwWeird: () => { setTimeout(() => { throw { toString: 1 } }); return does.hang() },
  uncloned: () => ({ cannotBe: () => 'sent' }),
  nothing: () => NOTHING,
  logError: () => console.error(Array.from({ length: 1000 }, (_, index) => 'error ' + index).join('\\n')),
  logTwice: () => { console.log('one'); console.error('two'); console.log('three') },
  throw: () => { setTimeout(() => { throw new Error('out of bounds') }); return does.hang() },
  exit: () => process.exit(3),
  time: () => [Date.now(), performance.now(), new Date().getTime(), new Date(5).getTime()],
}
const NOTHING = {}
exports.handler = async ({ path }) => {
  const done = await does[path]()
  if (done === NOTHING) return undefined
  return done?.cannotBe ? done : { status: 200, body: JSON.stringify(done) }
}
`

let bundle: string

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'function-host-'))
  bundle = join(folder, 'bundle.cjs')
  await writeFile(bundle, CODE)
  return () => rm(folder, { recursive: true })
})

const hostForTest = (options: Partial<FunctionHostProps> = {}) => {
  const lines: string[] = []
  let names = 0
  const host = new FunctionHost({
    bundle,
    env: () => ({ NAME: `instance ${++names}` }),
    onLog: (line) => lines.push(line),
    onExchange: () => {},
    onChange: () => {},
    ...options,
  })
  onTestFinished(() => host.close())
  const call = (path: string) => host.call({ method: 'POST', path, query: '', headers: {} })
  return { host, lines, call, numbers: () => host.instances.map(({ number }) => number).toSorted() }
}

/** How many are at work. */
const busy = ({ host }: ReturnType<typeof hostForTest>) => host.instances.filter(({ isBusy }) => isBusy).length

const failed = (reason: string) => ({
  status: 500,
  headers: { 'content-type': 'application/json' },
  body: expect.stringContaining(`The integration did not answer: ${reason}`),
})

describe('a call', () => {
  it('goes to an idle instance, the one used last', async () => {
    const { host, call } = hostForTest()
    for (let count = 0; count < 3; count++) await call('ticks')
    expect(host.instances).toEqual([{ number: 1, calls: 3, isBusy: false }])
    // The second starts beside the first, and is done before it.
    const first = call('tock')
    await call('ticks')
    await first
    await call('ticks')
    expect(host.instances).toEqual([
      { number: 2, calls: 1, isBusy: false },
      { number: 1, calls: 5, isBusy: false },
    ])
  })

  it('starts an instance where all are busy, four at most, and waits where there are so many', async () => {
    const pool = hostForTest()
    const calls = Array.from({ length: 9 }, () => pool.call('tick'))
    await expect.poll(() => busy(pool)).toBe(4)
    await Promise.all(calls)
    expect(pool.numbers()).toEqual([1, 2, 3, 4])
    expect(pool.host.instances.reduce((sum, { calls: count }) => sum + count, 0)).toBe(9)
  })

  it('is told of, as the instances are', async () => {
    const told: string[] = []
    const { call, host } = hostForTest({
      onChange: (instances) =>
        told.push(instances.map(({ number, isBusy }) => `${number}${isBusy ? ' busy' : ''}`).join()),
    })
    await call('ticks')
    await call('ticks')
    await host.endInstance()
    expect(told).toEqual(['1 busy', '1', '1 busy', '1', ''])
  })

  it('after an instance was ended does not go to it', async () => {
    const { call, host, numbers } = hostForTest()
    await call('ticks')
    const ending = host.endInstance()
    expect((await call('ticks')).status).toBe(200)
    await ending
    expect(numbers()).toEqual([2])
  })

  it('is the only one of its instance', async () => {
    const pool = hostForTest({ maxInstances: 1 })
    const calls = Array.from({ length: 3 }, () => pool.call('tick'))
    await Promise.all(calls)
    expect(pool.host.instances).toEqual([{ number: 1, calls: 3, isBusy: false }])
  })

  it('that takes longer than its limit ends the instance, and gets an error', async () => {
    const { call, numbers } = hostForTest({ callLimitMs: 3000 })
    await call('ticks')
    expect(await call('hang')).toMatchObject(failed('it took longer than 3 s, and its instance was ended'))
    expect((await call('ticks')).status).toBe(200)
    expect(numbers()).toEqual([2])
  })

  it.each([
    ['throw', 'it crashed: Error: out of bounds'],
    ['exit', 'its instance ended by itself'],
    ['throwWeird', 'it crashed: '],
  ])('that ends its instance by itself gets an error: %s', async (path, reason) => {
    const { call, numbers, lines } = hostForTest()
    const answer = await call(path)
    expect(answer).toMatchObject(failed(reason))
    // Where in the code it was, is for the log.
    expect(answer.body).not.toContain('    at ')
    if (path !== 'exit') expect(lines.join('\n')).toContain('The integration crashed: ')
    expect((await call('ticks')).status).toBe(200)
    expect(numbers()).toEqual([2])
  })
})

describe('a call that does not answer in order gets an error, and the instance stays', () => {
  it.each([
    ['reject', 'it threw undefined'],
    ['rejectText', "it threw 'bad luck'"],
    ['rejectWeird', 'it threw { toString: 1 }'],
    ['uncloned', 'it threw DOMException [DataCloneError]'],
    ['nothing', 'it returned undefined'],
  ])('%s', async (path, reason) => {
    const { call, numbers } = hostForTest()
    expect(await call(path)).toMatchObject(failed(reason))
    expect((await call('ticks')).status).toBe(200)
    expect(numbers()).toEqual([1])
  })
})

describe('endInstance', () => {
  it('ends one, at work or not', async () => {
    const pool = hostForTest()
    const calls = ['hang', 'tick', 'tick'].map(pool.call)
    await expect.poll(() => busy(pool)).toBe(3)
    await pool.host.endInstance(1)
    expect(await calls[0]).toMatchObject(failed('its instance was ended'))
    expect((await Promise.all(calls.slice(1))).map(({ status }) => status)).toEqual([200, 200])
    await pool.host.endInstance(2)
    expect(pool.numbers()).toEqual([3])
  })

  it('ends all, and the calls that wait get others', async () => {
    const pool = hostForTest({ maxInstances: 2 })
    const calls = ['hang', 'hang', 'ticks'].map(pool.call)
    await expect.poll(() => busy(pool)).toBe(2)
    await pool.host.endInstance()
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([500, 500, 200])
    expect(pool.numbers()).toEqual([3])
  })
})

it('close ends all, and starts no more for the calls that wait', async () => {
  const pool = hostForTest({ maxInstances: 2 })
  const calls = ['hang', 'hang', 'ticks', 'ticks'].map(pool.call)
  await expect.poll(() => busy(pool)).toBe(2)
  await pool.host.close()
  expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([500, 500, 500, 500])
  expect(await pool.call('ticks')).toMatchObject(failed('it is no longer there'))
  expect(pool.host.instances).toEqual([])
})

describe('between two calls an instance is frozen', () => {
  it('no timer of it moves', async () => {
    const { call, lines } = hostForTest()
    const before = Number((await call('tick')).body)
    expect(before).toBeGreaterThan(1)
    await call('later')
    await sleep(500)
    expect(lines).toEqual([])
    // A few turns of the event loop, at each thaw, and not the hundred ticks of that time.
    expect(Number((await call('ticks')).body)).toBeLessThan(before + 10)
    await call('tick')
    await expect.poll(() => lines).toEqual(['later'])
  })

  it('what it has logged is told before, whichever of them it was', async () => {
    const { call, lines } = hostForTest()
    await Promise.all([call('log'), call('log')])
    await expect.poll(() => lines).toHaveLength(2000)
    for (const name of ['instance 1', 'instance 2']) {
      expect(lines.filter((line) => line.startsWith(name))).toEqual(
        Array.from({ length: 1000 }, (_, index) => `${name} ${index}`)
      )
    }
    lines.splice(0)
    await call('logError')
    await expect.poll(() => lines).toEqual(Array.from({ length: 1000 }, (_, index) => `error ${index}`))
    lines.splice(0)
    await call('logPart')
    await expect.poll(() => lines).toEqual(['no end'])
    lines.splice(0)
    await call('logTwice')
    await expect.poll(() => lines.toSorted()).toEqual(['one', 'three', 'two'])
  })

  it('what it has logged before an endless loop is told', async () => {
    const { call, lines } = hostForTest({ callLimitMs: 3000 })
    expect(await call('logAndLoop')).toMatchObject(failed('it took longer than 3 s'))
    expect(lines).toEqual(['a', 'b', 'c'])
  })

  it('time passes, also the time that is let pass', async () => {
    const { host, call } = hostForTest()
    const clocks = async () => JSON.parse((await call('time')).body!) as [number, number, number, number]
    const before = await clocks()
    expect(Math.abs(before[0] - Date.now())).toBeLessThan(30_000)
    host.elapse(3_600_000)
    const after = await clocks()
    for (const clock of [0, 1, 2] as const) expect(after[clock] - before[clock]).toBeGreaterThanOrEqual(3_600_000)
    expect(after[3]).toBe(5)
  })
})

it('an integration that is not built is told how to be', () => {
  expect(() => hostForTest({ bundle: '/nowhere/index.js' })).toThrow(
    'There is no /nowhere/index.js: build the integration first, with npm run build.'
  )
})
