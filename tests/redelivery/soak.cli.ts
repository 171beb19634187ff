import { isFlawless, soak } from './soak'

const LIMIT_MS = 300_000

setTimeout(() => {
  console.error(`Not done within ${LIMIT_MS / 1000} s.`)
  process.exit(1)
}, LIMIT_MS).unref()

const main = async () => {
  const report = await soak({ messages: 2000, conversations: 50, concurrency: 32 })
  console.table(report)
  if (!isFlawless(report)) process.exitCode = 1
}

main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
