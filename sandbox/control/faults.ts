import { EventEmitter } from 'node:events'
import { z } from 'zod'
import type { Fault } from '../cloud/chat/chat-api'

const status = z
  .int('The status is a whole number')
  .min(400, 'The status is 400 to 599')
  .max(599, 'The status is 400 to 599')
const times = z.int('How often is a whole number').min(0, 'How often is 0 to 100').max(100, 'How often is 0 to 100')
const delayMs = z
  .int('The delay is whole milliseconds')
  .min(0, 'The delay is 0 to 60,000 ms')
  .max(60_000, 'The delay is 0 to 60,000 ms')
const delayTimes = z
  .int('How often it is late is a whole number')
  .min(1, 'How often it is late is 1 to 100')
  .max(100, 'How often it is late is 1 to 100')

const endpointFaults = z.strictObject({
  /** `is down` lasts until it is switched back; the others as many `times`. */
  does: z.enum(
    ['answers', 'fails', 'hangs', 'redirects', 'is down'],
    'The endpoint answers, fails, hangs, redirects or is down'
  ),
  status,
  times,
  delayMs,
  delayTimes,
})

const botpressFaults = z.strictObject({ status, times, delayMs, delayTimes })

/**
 * What is set to go wrong. `times` counts down to 0 with each request that it went wrong with, and `delayTimes` with each that
 * was late; after the last, `delayMs` is 0.
 */
export type FaultSettings = { endpoint: z.infer<typeof endpointFaults>; botpress: z.infer<typeof botpressFaults> }

/** What of it is to be otherwise. */
export const faultChanges = z
  .strictObject({ endpoint: endpointFaults.partial(), botpress: botpressFaults.partial() })
  .partial()

export type FaultChanges = z.infer<typeof faultChanges>

type EndpointAnswer = { status: number; location?: string; delayMs: number } | 'hang'

const NOTHING: FaultSettings = {
  endpoint: { does: 'answers', status: 500, times: 2, delayMs: 0, delayTimes: 10 },
  botpress: { status: 429, times: 0, delayMs: 0, delayTimes: 10 },
}

/** What is set to go wrong, to see how the integration takes it. */
export class Faults extends EventEmitter<{ change: [FaultSettings] }> {
  private settings = NOTHING

  constructor() {
    super()
    // One of each page that is open.
    this.setMaxListeners(0)
  }

  get(): FaultSettings {
    return this.settings
  }

  change({ endpoint, botpress }: FaultChanges): void {
    this.set({
      endpoint: { ...this.settings.endpoint, ...endpoint },
      botpress: { ...this.settings.botpress, ...botpress },
    })
  }

  reset(): void {
    this.set(NOTHING)
  }

  /** What the endpoint does with the request that has come in. */
  nextEndpointAnswer(): EndpointAnswer {
    const { does, times: left, status: failure } = this.settings.endpoint
    const isCounted = does !== 'answers' && does !== 'is down' && left > 0
    if (isCounted) this.change({ endpoint: { times: left - 1, ...(left === 1 && { does: 'answers' }) } })
    if (isCounted && does === 'hangs') return 'hang'
    const delay = this.nextDelayMs('endpoint')
    if (does === 'is down') return { status: 503, delayMs: delay }
    if (!isCounted) return { status: 204, delayMs: delay }
    if (does === 'redirects') return { status: 302, location: '/elsewhere', delayMs: delay }
    return { status: failure, delayMs: delay }
  }

  /** What goes wrong with the call to Botpress that has come in. */
  nextApiFault(): Fault | undefined {
    const { times: left, status: failure } = this.settings.botpress
    const delay = this.nextDelayMs('botpress')
    if (left === 0) return delay > 0 ? { delayMs: delay } : undefined
    this.change({ botpress: { times: left - 1 } })
    return { delayMs: delay, answer: { status: failure, body: { message: 'Switched on in the sandbox' } } }
  }

  private nextDelayMs(of: 'endpoint' | 'botpress'): number {
    const { delayMs: delay, delayTimes: left } = this.settings[of]
    const after = left > 1 ? { delayTimes: left - 1 } : { delayMs: 0, delayTimes: NOTHING[of].delayTimes }
    if (delay > 0) this.change({ [of]: after })
    return delay
  }

  private set(settings: FaultSettings): void {
    this.settings = settings
    this.emit('change', settings)
  }
}
