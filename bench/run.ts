import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BUNDLE } from '../sandbox/integration-runtime'
import { bundle } from './bundle'
import { type Figures, loadMs, measure, memory, sizeKb } from './measure'

const ROUNDS = 3
const LOADS = 15

const PLAIN = `import x from './bench/plain-integration'; export default x; export const handler = x.handler`

/** The vendor's SDK with axios and zod, and nothing else: what any integration loads. */
const LIBRARIES = `
  import { Integration } from '@botpress/sdk'
  import axios from 'axios'
  import * as z from 'zod'
  export default [Integration, axios.create(), z.object({ text: z.string() })]`

const ROWS: [keyof Figures, string][] = [
  ['firstMessageCalls', 'API calls, first message'],
  ['firstMessageLatencies', 'API latencies (100 ms), first message'],
  ['laterMessageCalls', 'API calls, later message'],
  ['laterMessageLatencies', 'API latencies (100 ms), later message'],
  ['apiConnections', 'connections to the API, 20 messages'],
  ['endpointConnections', 'connections to the endpoint, 20 messages'],
  ['inPerSecond1', 'messages/s in, one at a time'],
  ['inPerSecond32', 'messages/s in, 32 at once'],
  ['outPerSecond1', 'messages/s out, one at a time'],
  ['outPerSecond32', 'messages/s out, 32 at once'],
]

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!

const rounded = (value: number): number => Number(value.toFixed(value < 10 ? 2 : 0))

const compare = (plain: number, ours: number) => ({
  plain: rounded(plain),
  'this build': rounded(ours),
  ratio: rounded(ours / plain),
})

const run = async (plain: string, libraries: string) => {
  const rounds: { plain: Figures; ours: Figures }[] = []
  for (let round = 1; round <= ROUNDS; round++) {
    console.error(`Round ${round} of ${ROUNDS} …`)
    rounds.push({ plain: await measure(plain), ours: await measure(BUNDLE) })
  }
  console.error('Memory …')
  const heap = { plain: await memory(plain), ours: await memory(BUNDLE) }
  const loads = Array.from({ length: LOADS }, () => ({
    plain: loadMs(plain),
    ours: loadMs(BUNDLE),
    libraries: loadMs(libraries),
  }))

  const rows = ROWS.map(([figure, title]) => [
    title,
    compare(median(rounds.map((round) => round.plain[figure])), median(rounds.map((round) => round.ours[figure]))),
  ])
  console.table({
    ...Object.fromEntries(rows),
    'heap in MB, after one message': compare(heap.plain.before, heap.ours.before),
    'heap in MB, after 20,000 in 10,000 conversations': compare(heap.plain.after, heap.ours.after),
    'bundle in kB': compare(sizeKb(plain), sizeKb(BUNDLE)),
    'load time in ms': compare(median(loads.map((load) => load.plain)), median(loads.map((load) => load.ours))),
  })
  const alone = rounded(median(loads.map((load) => load.libraries)))
  console.log(`The SDK with axios and zod alone: ${rounded(sizeKb(libraries))} kB, loaded in ${alone} ms.`)
}

const main = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'))
  try {
    await run(await bundle(PLAIN, join(folder, 'plain.js')), await bundle(LIBRARIES, join(folder, 'libraries.js')))
  } finally {
    await rm(folder, { recursive: true })
  }
}

main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
