import { randomBytes } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'
import { messageBody, send } from '../harness/backend'
import type { Received } from '../harness/endpoint'
import { endpointForTest, installationForTest } from '../harness/for-test'

const SECRET = `whsec_${randomBytes(32).toString('base64')}`

describe('signatures', () => {
  it('are made with a configured secret, after Standard Webhooks, afresh on each try', async () => {
    let tries = 0
    // Long enough for the timestamp, in seconds, to differ.
    const endpoint = await endpointForTest((response) =>
      response.writeHead(++tries === 1 ? 503 : 200, { 'retry-after': '1.1' }).end()
    )
    const sandbox = await installationForTest({ endpoint: endpoint.url, signingSecret: SECRET })
    await send(sandbox, messageBody({ text: 'naïve 日本語 👩‍👩‍👧' }))
    await sandbox.settled()

    expect(endpoint.messages()).toHaveLength(2)
    const verifier = new Webhook(SECRET)
    for (const { text, body, headers } of endpoint.messages()) {
      expect(verifier.verify(text, headers as Record<string, string>)).toEqual(body)
      expect(() => verifier.verify(text.replace('naïve', 'naive'), headers as Record<string, string>)).toThrow(
        'No matching signature'
      )
    }
    const [first, second] = endpoint.messages()
    expect(second!.headers['webhook-timestamp']).not.toBe(first!.headers['webhook-timestamp'])
    expect(second!.headers['webhook-signature']).not.toBe(first!.headers['webhook-signature'])
  })

  it('may be made with a secret that has white space around it', async () => {
    const endpoint = await endpointForTest()
    await installationForTest({ endpoint: endpoint.url, signingSecret: ` ${SECRET}\n` })
    const [{ text, headers }] = endpoint.tests() as [Received]
    expect(new Webhook(SECRET).verify(text, headers as Record<string, string>)).toMatchObject({ type: 'test' })
  })

  it('are two in one header while a secret is being replaced, each of one of both secrets', async () => {
    const next = `whsec_${randomBytes(24).toString('base64')}`
    const endpoint = await endpointForTest()
    const sandbox = await installationForTest({ endpoint: endpoint.url, signingSecret: `${SECRET}  ${next}` })
    await send(sandbox, messageBody())
    await sandbox.settled()
    for (const { text, headers } of [...endpoint.tests(), ...endpoint.messages()]) {
      expect(headers['webhook-signature']).toMatch(/^v1,[\w+/]+=* v1,[\w+/]+=*$/)
      for (const secret of [SECRET, next]) {
        expect(() => new Webhook(secret).verify(text, headers as Record<string, string>)).not.toThrow()
      }
      const other = new Webhook(`whsec_${randomBytes(24).toString('base64')}`)
      expect(() => other.verify(text, headers as Record<string, string>)).toThrow('No matching signature')
    }
  })

  it('replacing a secret loses nothing that is sent throughout, to an endpoint that knows one at a time', async () => {
    const next = `whsec_${randomBytes(32).toString('base64')}`
    let known = SECRET
    const endpoint = await endpointForTest((response, { text, headers }) => {
      try {
        new Webhook(known).verify(text, headers as Record<string, string>)
        response.writeHead(204).end()
      } catch {
        // Final: the message would be lost.
        response.writeHead(401).end()
      }
    })
    const made: string[] = []
    const outcomes = new Map<string, string | undefined>()
    const sandbox = await installationForTest({
      endpoint: endpoint.url,
      signingSecret: SECRET,
      onMessage: ({ id, direction }) => direction === 'outgoing' && made.push(id),
      onDelivery: ({ message, error }) => outcomes.set(message.id, error),
    })
    const done = new AbortController()
    const sending = (async () => {
      while (!done.signal.aborted) await send(sandbox, messageBody({ text: 'burst 3' }))
    })()
    /** More have been sent, and those that were on their way have arrived. */
    const aWhile = async () => {
      const before = made.length
      await expect.poll(() => made.length).toBeGreaterThan(before + 10)
      await expect.poll(() => made.slice(0, before).every((id) => outcomes.has(id))).toBe(true)
    }
    await aWhile()
    sandbox.configure({ endpoint: endpoint.url, signingSecret: `${SECRET} ${next}` })
    await aWhile()
    known = next
    await aWhile()
    sandbox.configure({ endpoint: endpoint.url, signingSecret: next })
    await aWhile()
    done.abort()
    await sending
    await sandbox.settled()
    expect([...outcomes.values()].filter((error) => error !== undefined)).toEqual([])
    expect(endpoint.messages()).toHaveLength(made.length)
  })

  it('are on the registration’s test message too', async () => {
    const endpoint = await endpointForTest()
    await installationForTest({ endpoint: endpoint.url, signingSecret: SECRET })
    const [{ text, headers }] = endpoint.tests() as [Received]
    expect(new Webhook(SECRET).verify(text, headers as Record<string, string>)).toEqual({
      type: 'test',
      payload: 'test',
    })
  })

  it('are absent without one', async () => {
    const endpoint = await endpointForTest()
    const sandbox = await installationForTest({ endpoint: endpoint.url })
    await send(sandbox, messageBody())
    await sandbox.settled()
    expect(endpoint.messages()[0]!.headers).not.toHaveProperty('webhook-signature')
    expect(endpoint.tests()[0]!.headers).not.toHaveProperty('webhook-signature')
  })
})
