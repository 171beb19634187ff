import { expect, it } from 'vitest'
import { isFlawless, soak } from './soak'

it('nothing is lost or doubled through failures, an outage and ended instances', { timeout: 120_000 }, async () => {
  const report = await soak({ messages: 150, conversations: 20, concurrency: 16 })
  expect(isFlawless(report), JSON.stringify(report)).toBe(true)
  expect(report.marked, JSON.stringify(report)).toBeGreaterThan(0)
  expect(report.redeliveredOnRequest, JSON.stringify(report)).toBeGreaterThan(0)
})
