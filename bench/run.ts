import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BUNDLE } from '../sandbox/cloud/function-host/function-host'
import { bundle } from './bundle'
import { cpuPerMessage } from './cpu'
import { type Figures, loadMs, measure, memory, sizeKb } from './measure'
import { report } from './report'

const ROUNDS = 3
const LOADS = 15
const CPU_ROUNDS = 5

const PLAIN = `import x from './bench/plain-integration'; export default x; export const handler = x.handler`

/** The vendor's SDK with axios and zod, and nothing else: what any integration loads. */
const LIBRARIES = `
  import { Integration } from '@botpress/sdk'
  import axios from 'axios'
  import * as z from 'zod'
  export default [Integration, axios.create(), z.object({ text: z.string() })]`

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!

const BARE = `export * from './bench/bare-function'`

/** The CPU of a message, of each bundle in turns: the machine's pace changes. */
const cpuOf = async (way: 'in' | 'out', { plain, bare }: Pick<Bundles, 'plain' | 'bare'>) => {
  const rounds: { bare: number; plain: number; ours: number }[] = []
  for (let round = 1; round <= CPU_ROUNDS; round++) {
    rounds.push({
      bare: await cpuPerMessage(bare, way),
      plain: await cpuPerMessage(plain, way),
      ours: await cpuPerMessage(BUNDLE, way),
    })
  }
  const of = (which: 'bare' | 'plain' | 'ours') => median(rounds.map((round) => round[which]))
  return { bare: of('bare'), plain: of('plain'), ours: of('ours') }
}

type Bundles = { plain: string; libraries: string; bare: string }

const run = async ({ plain, libraries, bare }: Bundles) => {
  const rounds: { plain: Figures; ours: Figures }[] = []
  for (let round = 1; round <= ROUNDS; round++) {
    console.error(`Round ${round} of ${ROUNDS} …`)
    rounds.push({ plain: await measure(plain), ours: await measure(BUNDLE) })
  }
  console.error('Memory …')
  const heap = { plain: await memory(plain), ours: await memory(BUNDLE) }
  console.error('CPU …')
  const cpu = { in: await cpuOf('in', { plain, bare }), out: await cpuOf('out', { plain, bare }) }
  const loads = Array.from({ length: LOADS }, () => ({
    plain: loadMs(plain),
    ours: loadMs(BUNDLE),
    libraries: loadMs(libraries),
  }))

  const measured = Object.fromEntries(
    (Object.keys(rounds[0]!.ours) as (keyof Figures)[]).map((figure) => [
      figure,
      {
        plain: median(rounds.map((round) => round.plain[figure])),
        ours: median(rounds.map((round) => round.ours[figure])),
      },
    ])
  ) as Record<keyof Figures, { plain: number; ours: number }>
  console.log(
    report({
      ...measured,
      cpuIn: { plain: cpu.in.plain, ours: cpu.in.ours },
      cpuInTimesBare: { plain: cpu.in.plain / cpu.in.bare, ours: cpu.in.ours / cpu.in.bare },
      cpuOut: { plain: cpu.out.plain, ours: cpu.out.ours },
      cpuOutTimesBare: { plain: cpu.out.plain / cpu.out.bare, ours: cpu.out.ours / cpu.out.bare },
      heapBefore: { plain: heap.plain.before, ours: heap.ours.before },
      heapAfter: { plain: heap.plain.after, ours: heap.ours.after },
      bundleKb: { plain: sizeKb(plain), ours: sizeKb(BUNDLE) },
      loadMs: { plain: median(loads.map((load) => load.plain)), ours: median(loads.map((load) => load.ours)) },
    })
  )
  const alone = Math.round(median(loads.map((load) => load.libraries)))
  console.log(`The SDK with axios and zod alone: ${Math.round(sizeKb(libraries))} kB, loaded in ${alone} ms.`)
}

const main = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'))
  try {
    await run({
      plain: await bundle(PLAIN, join(folder, 'plain.js')),
      libraries: await bundle(LIBRARIES, join(folder, 'libraries.js')),
      bare: await bundle(BARE, join(folder, 'bare.js')),
    })
  } finally {
    await rm(folder, { recursive: true })
  }
}

main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
