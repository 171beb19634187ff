import { expect, it } from 'vitest'
import { isFlawless, soak } from './soak'

it(
  'nothing is lost or doubled while Botpress and the endpoint fail one request in ten',
  { timeout: 60_000 },
  async () => {
    const report = await soak({ messages: 200, conversations: 20, concurrency: 16 })
    expect(isFlawless(report), JSON.stringify(report)).toBe(true)
  }
)
