import { describe, it } from 'vitest'
import type { ChatOperation } from '../../sandbox/cloud/chat/chat'
import { startSandbox } from '../../sandbox/sandbox'
import { send } from '../harness/backend'
import { startEndpoint } from '../harness/endpoint'
import { missed } from './outage'

// Each takes as long as a call may: side by side.
describe.concurrent('a redelivery ends within 45 s if Botpress hangs', () => {
  it.for<[ChatOperation, number]>([
    ['listMessages', 504],
    ['getOrSetState', 504],
    ['getConversation', 200],
    ['updateMessage', 200],
    ['setState', 200],
  ])('on %s: %i', async ([operation, status], { expect }) => {
    const endpoint = await startEndpoint()
    let hangs = false
    const sandbox = await startSandbox({
      endpoint: endpoint.url,
      maxInstances: 1,
      onApiCall: (call) => (hangs && call.operation === operation ? { delayMs: 120_000 } : undefined),
    })
    missed('1', { from: sandbox })
    hangs = true
    const start = performance.now()
    const answer = await send(sandbox, {}, { path: '/redeliveries' })
    const seconds = (performance.now() - start) / 1000
    await sandbox.close()
    await endpoint.close()
    expect(answer.status).toBe(status)
    expect(seconds).toBeLessThan(47)
  })
})
