import { expect, it } from 'vitest'
import { checkBackend } from '../../check-backend/check-backend'
import { failedIn, FAST, OPTIONS, resultOf } from './checked'
import { serve, startBackend } from './slipping-backend'

// They take as long as the integration's patience with the test message: side by side.
it('a backend whose answers have no end, or are event streams, is right; one that never answers is told what to do', async () => {
  const endless = [{}, { 'content-type': 'text/event-stream' }].map(async (headers) => {
    const endpoint = await serve((request, response) => {
      request.resume().once('end', () => response.writeHead(200, headers).write(': and so on'))
    })
    return failedIn(await checkBackend({ endpoint }, FAST))
  })
  const silent = await checkBackend(
    { endpoint: await startBackend(() => 'nothing'), ...OPTIONS },
    { ...FAST, answerMs: 200 }
  )
  expect(resultOf(silent, 'answers within 10 s').advice).toBe('Answer 2xx at once, before the work is done.')
  expect(await Promise.all(endless)).toEqual([[], []])
})
