import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { discardBody } from './discard-body'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

const pour = async (stream: PassThrough, bytes: number) => {
  stream.write(Buffer.alloc(bytes))
  await new Promise(setImmediate)
}

describe('the body of an answer', () => {
  it('flows off to its end, with no timer left', async () => {
    const body = new PassThrough()
    body.end('thanks')
    await discardBody(body)
    expect(body.readableEnded).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('is cut off after 64 kB', async () => {
    const body = new PassThrough()
    const done = discardBody(body)
    await pour(body, 64 * 1024)
    expect(body.destroyed).toBe(false)
    await pour(body, 1)
    expect(body.destroyed).toBe(true)
    await done
  })

  it('is cut off after a second', async () => {
    const body = new PassThrough()
    const done = discardBody(body)
    vi.advanceTimersByTime(999)
    expect(body.destroyed).toBe(false)
    vi.advanceTimersByTime(1)
    expect(body.destroyed).toBe(true)
    await done
  })

  it('may fail', async () => {
    const body = new PassThrough()
    const done = discardBody(body)
    body.destroy(new Error('reset'))
    await done
    expect(vi.getTimerCount()).toBe(0)
  })
})
