import pLimit from 'p-limit'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { borrowedFile } from '../../package-files'
import { ApiError } from '../api-error'
import type { Exchange } from '../exchange'
import type { IntegrationRequest, IntegrationResponse } from './integration-call'
import { type Instance, type InstanceFaults, type Job, type StartInstance, startInstance } from './instance'

/** Where `npm run build` puts the integration; newer versions of the CLI call it `index.cjs`. */
export const BUNDLE = ['index.cjs', 'index.js']
  .map((name) => fileURLToPath(borrowedFile('integration.cjs', `.botpress/dist/${name}`)))
  .reduce((found, candidate) => (existsSync(found) ? found : candidate))

export type FunctionHostOptions = {
  /** Another bundle than the one of `npm run build`. */
  bundle?: string
  /** How many there are at most at the same time. Default: 4. */
  maxInstances?: number
  /** How long a call may take. Default: 60 s. */
  callLimitMs?: number
  /** Runs instances elsewhere than in threads of this process. */
  startInstance?: StartInstance
}

export type FunctionHostProps = FunctionHostOptions & {
  /** The environment of an instance, asked for when one starts. */
  env: () => Record<string, string>
  /** What goes wrong with requests to the endpoint. Default: nothing. */
  faults?: InstanceFaults
  /** Told when something goes wrong on purpose. */
  onFault?: () => void
  /** Told of each line that an instance writes to its output. */
  onLog: (line: string) => void
  /** Told of each request that an instance makes to others than Botpress, when it begins and when it ends. */
  onExchange: (exchange: Exchange) => void
  /** Told of all instances whenever one starts, is at work or no longer, or ends. */
  onChange: (instances: InstanceState[]) => void
}

/** An instance that there is. They are numbered in the order of their beginning. */
export type InstanceState = { number: number; calls: number; isBusy: boolean }

type Slot = InstanceState & { instance: Instance }

const DEFAULT_INSTANCES = 4
const CALL_LIMIT_MS = 60_000

/** The longest that timers have. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1

/**
 * Runs the built integration as the cloud does: in instances that have one call at a time each, are frozen between two, and
 * are ended at any time. A call goes to an idle one, the one used last, or starts another, or waits where all are busy.
 */
export class FunctionHost {
  private readonly bundle: string
  private readonly limit
  private readonly callLimitMs: number
  private readonly slots = new Set<Slot>()
  private readonly elapsed = new Float64Array(new SharedArrayBuffer(8))
  private started = 0
  private isClosed = false

  /** @throws Error when the integration is not built */
  constructor(private readonly props: FunctionHostProps) {
    this.bundle = props.bundle ?? BUNDLE
    this.limit = pLimit({ concurrency: props.maxInstances ?? DEFAULT_INSTANCES, rejectOnClear: true })
    this.callLimitMs = props.callLimitMs ?? CALL_LIMIT_MS
    if (!existsSync(this.bundle)) {
      throw new Error(`There is no ${this.bundle}: build the integration first, with npm run build.`)
    }
  }

  /**
   * Resolves to the integration's answer, or to one of status 500 where it crashes, takes too long or is ended.
   *
   * @param call an id, which the exchanges that it makes are reported with
   */
  async call(request: IntegrationRequest, call?: string): Promise<IntegrationResponse> {
    try {
      const answer = await this.carryOut<IntegrationResponse | undefined>({ request, call })
      if (answer === undefined) throw new Error('it returned undefined')
      return answer
    } catch (error) {
      const answer = new ApiError('Internal', `The integration did not answer: ${(error as Error).message}`)
      return {
        status: answer.status,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(answer),
      }
    }
  }

  get instances(): InstanceState[] {
    return [...this.slots].map(({ number, calls, isBusy }) => ({ number, calls, isBusy }))
  }

  /** Ends the instance of that number, or all of them, at work or not, with all that they remember. */
  async endInstance(number?: number): Promise<void> {
    const ended = [...this.slots].filter((slot) => number === undefined || slot.number === number)
    await Promise.all(ended.map((slot) => this.end(slot, 'its instance was ended')))
  }

  /** Ends all instances. Calls that wait are not carried out. */
  async reset(): Promise<void> {
    this.limit.clearQueue()
    await this.endInstance()
  }

  /** As `reset`, and no instance is started any more. */
  async close(): Promise<void> {
    this.isClosed = true
    await this.reset()
  }

  /** Lets time pass that the integration's clocks tell at once, while no timer moves: as when instances are frozen that long. */
  elapse(ms: number): void {
    this.elapsed[0]! += ms
  }

  /** The bytes on the heap of the instance used last, after a collection of garbage. */
  heapUsed(): Promise<number> {
    return this.carryOut<number>({})
  }

  private carryOut<Result>(job: Job): Promise<Result> {
    return this.limit(async () => {
      if (this.isClosed) throw new Error('it is no longer there')
      const slot = [...this.slots].findLast(({ isBusy }) => !isBusy) ?? this.start()
      slot.isBusy = true
      slot.calls++
      this.tell()
      const reason = `it took longer than ${this.callLimitMs / 1000} s, and its instance was ended`
      const limit = setTimeout(() => void this.end(slot, reason), Math.min(this.callLimitMs, MAX_TIMEOUT_MS))
      try {
        return await slot.instance.carryOut<Result>(job)
      } finally {
        clearTimeout(limit)
        slot.isBusy = false
        // To the end, where the one used last is.
        if (this.slots.delete(slot)) this.slots.add(slot)
        this.tell()
      }
    })
  }

  private start(): Slot {
    const { env, faults, onLog, onFault = () => {}, onExchange, startInstance: start = startInstance } = this.props
    const number = ++this.started
    const instance = start({
      bundle: this.bundle,
      env: env(),
      elapsed: this.elapsed,
      faults,
      onFault,
      onLog,
      onExchange: (exchange) => onExchange({ ...exchange, id: `${exchange.id}-of-${number}` }),
      onEnd: () => {
        this.slots.delete(slot)
        this.tell()
      },
    })
    const slot = { instance, number, calls: 0, isBusy: false }
    this.slots.add(slot)
    return slot
  }

  private tell(): void {
    this.props.onChange(this.instances)
  }

  private async end(slot: Slot, reason: string): Promise<void> {
    this.slots.delete(slot)
    await slot.instance.end(reason)
  }
}
