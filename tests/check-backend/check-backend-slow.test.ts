import { expect, it } from 'vitest'
import { checkBackend } from '../../sandbox/check-backend/check-backend'
import { failedIn, FAST, OPTIONS, resultOf } from './checked'
import { serve, startBackend } from './slipping-backend'

// They take as long as the integration's patience with the test message: side by side.
it('a backend whose answers have no end, as event streams, is right; one that never answers is told what to do', async () => {
  const headers = { 'content-type': 'text/event-stream' }
  const endless = await serve((request, response) => {
    request.resume().once('end', () => response.writeHead(200, headers).write(': and so on'))
  })
  const ofEndless = checkBackend({ endpoint: endless }, FAST)
  const silent = await checkBackend(
    { endpoint: await startBackend(() => 'nothing'), ...OPTIONS },
    { ...FAST, answerMs: 200 }
  )
  expect(resultOf(silent, 'answers within 10 s').advice).toBe('Answer 2xx at once, before the work is done.')
  expect(failedIn(await ofEndless)).toEqual([])
})
