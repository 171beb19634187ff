import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { BotpressFailure } from './botpress-failure'
import { inTime, useTransport } from './transport'
import { withRetries } from './with-retries'
// The copy that the transport has.
import axios = require('axios')
import { hostForTest } from '../../tests/harness/host-for-test'

useTransport()

/** A server that answers slowly, and a client as the official one makes its own. */
const slowServer = async (answerMs: number) => {
  const seen: string[] = []
  const aborted: string[] = []
  const server = http.createServer(async ({ url = '' }, response) => {
    seen.push(url)
    response.on('close', () => response.writableFinished || aborted.push(url))
    await sleep(answerMs)
    response.end('{}')
  })
  const client = axios.create({
    baseURL: `http://${await hostForTest(server)}`,
    timeout: 10_000,
  })
  return { client, seen, aborted }
}

it('what is given up is aborted, and what would follow it is not even begun', async () => {
  const { client, seen, aborted } = await slowServer(6000)
  let end: Promise<unknown> | undefined
  const work = () => {
    const steps = async () => {
      await client.get('/first').catch(() => {})
      await client.get('/second')
    }
    return (end = steps())
  }
  // As long as a busy machine takes for the first request to be there.
  await expect(withRetries(work, { limitMs: 2000 })).rejects.toBeInstanceOf(BotpressFailure)
  await expect(end).rejects.toMatchObject({ code: 'ERR_CANCELED' })
  await expect.poll(() => aborted).toEqual(['/first'])
  expect(seen).toEqual(['/first'])
})

it('what is left over when the work is done is aborted', async () => {
  const { client, aborted, seen } = await slowServer(300)
  await inTime(10_000, async () => {
    void client.get('/left over').catch(() => {})
    while (seen.length === 0) await sleep(5)
  })
  await expect.poll(() => aborted).toHaveLength(1)
})

it('what nobody limits goes to its end', async () => {
  const { client } = await slowServer(1)
  expect((await client.get('/')).status).toBe(200)
})

it('the connection of one client is used by the next', async () => {
  const { client, ...server } = await slowServer(1)
  const ports = new Set<unknown>()
  for (let count = 0; count < 5; count++) {
    const another = axios.create({ baseURL: client.defaults.baseURL, timeout: 10_000 })
    ports.add((await another.get('/')).request.socket.localPort)
    await sleep(5)
  }
  expect(server.seen).toHaveLength(5)
  expect(ports.size).toBe(1)
})
