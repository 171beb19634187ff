import { EventEmitter } from 'node:events'
import { z } from 'zod'
import type { Fault } from '../cloud/chat/chat-api'
import type { EndpointFaults } from '../cloud/function-host/endpoint-faults'

const whole = (what: string, min: number, max: number) => {
  const error = `${what} is ${min.toLocaleString('en')} to ${max.toLocaleString('en')}`
  return z.int(error).min(min, error).max(max, error).optional()
}

const times = whole('How often', 1, 1000)
const delayMs = whole('The delay in milliseconds', 0, 60_000)

/** What is to go wrong: with requests to the endpoint, whoever's it is, and with requests of the integration to Botpress. */
export const faultSettings = z.strictObject({
  endpoint: z
    .strictObject({
      status: whole('The status', 300, 599),
      down: z.boolean().optional(),
      hang: z.boolean().optional(),
      reset: z.boolean().optional(),
      delayMs,
      times,
    })
    .optional(),
  botpress: z.strictObject({ status: whole('The status', 400, 599), delayMs, times }).optional(),
})

export type FaultSettings = z.infer<typeof faultSettings>

/** What goes wrong on purpose. It counts down, and tells of each change. */
export class Faults extends EventEmitter<{ change: [FaultSettings] }> {
  private botpress: FaultSettings['botpress']

  /** @param endpoint shared with the instances, which make its requests */
  constructor(private readonly endpoint: EndpointFaults) {
    super()
    // One of each inspector that is open.
    this.setMaxListeners(0)
  }

  /** With the times that are left. */
  get(): FaultSettings {
    return { endpoint: this.endpoint.get(), botpress: this.botpress }
  }

  /** From now on, nothing but this goes wrong. */
  set({ endpoint, botpress }: FaultSettings = {}): void {
    this.endpoint.set(endpoint)
    this.botpress = botpress
    this.tell()
  }

  /** To be called when the endpoint's faults have changed by themselves. */
  tell(): void {
    this.emit('change', this.get())
  }

  /** What goes wrong with the request to Botpress that has come in. */
  nextApiFault(): Fault | undefined {
    if (!this.botpress) return undefined
    const { status, delayMs: delay = 0, times: left } = this.botpress
    if (left !== undefined) {
      this.botpress = left === 1 ? undefined : { ...this.botpress, times: left - 1 }
      this.tell()
    }
    const answer = status === undefined ? undefined : { status, body: { message: 'Switched on in the sandbox' } }
    return { delayMs: delay, ...(answer && { answer }) }
  }
}
