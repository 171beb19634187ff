import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished, vi } from 'vitest'
import { BotpressFailure } from './botpress-failure'
import { createClient } from './client'

it('a call that takes too long fails as timed out', async () => {
  const silent = createServer(() => {})
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    silent.close().closeAllConnections()
    vi.unstubAllEnvs()
  })
  vi.stubEnv('BP_API_URL', `http://127.0.0.1:${(silent.address() as AddressInfo).port}`)

  const client = createClient({ token: 'token', botId: 'bot', integrationId: 'integration' }, { timeoutMs: 50 })
  const thrown = await client.getUser({ id: 'user' }).catch((error: unknown) => error)

  expect(BotpressFailure.in(thrown)).toMatchObject({ more: { timedOut: true, status: undefined } })
})

it('what is not of Botpress is no failure of its own', () => {
  expect(BotpressFailure.in(new Error('else'))).toBeUndefined()
})
