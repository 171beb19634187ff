import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { Worker } from 'node:worker_threads'
import type { Exchange } from '../page/wire'

/** Where `npm run build` puts the integration; newer versions of the CLI call it `index.cjs`. */
export const BUNDLE = ['index.cjs', 'index.js']
  .map((name) => resolve('.botpress/dist', name))
  .reduce((found, candidate) => (existsSync(found) ? found : candidate))

export type IntegrationRequest = {
  method: string
  path: string
  query: string
  headers: Record<string, string | undefined>
  body?: string
}

export type IntegrationResponse = { status: number; headers?: Record<string, string>; body?: string }

export type IntegrationRuntimeProps = {
  bundle?: string
  /** The environment of an instance, asked for when one starts. */
  env: () => Record<string, string>
  /** Told of each line that the integration writes to its output. */
  onLog: (line: string) => void
  /** Told of each request that the integration makes to others than Botpress, when it begins and when it ends. */
  onRequest: (exchange: Exchange) => void
}

/** What runs the integration. */
export type Runtime = {
  /** Resolves to the integration's answer, or to one of status 500 where it crashes. */
  call(request: IntegrationRequest): Promise<IntegrationResponse>
  /** The bytes on the instance's heap, after a collection of garbage. */
  heapUsed(): Promise<number>
  /** Ends the instance, with all that it remembers. The next call starts another. */
  stop(): Promise<void>
}

type Pending = { resolve: (result: never) => void; reject: (error: unknown) => void }

/**
 * Runs the built integration as the cloud does: in an instance that starts at the first call, stays warm, and is
 * started anew after a crash.
 */
export class IntegrationRuntime implements Runtime {
  private readonly bundle: string
  private worker: Worker | undefined
  private readonly pending = new Map<number, Pending>()
  private lastId = 0

  /** @throws Error when the integration is not built */
  constructor(private readonly props: IntegrationRuntimeProps) {
    this.bundle = props.bundle ?? BUNDLE
    if (!existsSync(this.bundle)) {
      throw new Error(`There is no ${this.bundle}: build the integration first, with npm run build.`)
    }
  }

  async call(request: IntegrationRequest): Promise<IntegrationResponse> {
    try {
      return await this.carryOut<IntegrationResponse>({ request })
    } catch (error) {
      return { status: 500, body: JSON.stringify({ message: `The integration crashed: ${String(error)}` }) }
    }
  }

  heapUsed(): Promise<number> {
    return this.carryOut<number>({})
  }

  async stop(): Promise<void> {
    await this.worker?.terminate()
  }

  private carryOut<Result>(job: { request?: IntegrationRequest }): Promise<Result> {
    this.worker ??= this.start()
    const id = ++this.lastId
    this.worker.postMessage({ id, job })
    return new Promise<Result>((resolveJob, reject) => this.pending.set(id, { resolve: resolveJob, reject }))
  }

  private start(): Worker {
    const worker = new Worker(new URL('./integration-worker.cjs', import.meta.url), {
      workerData: { bundle: this.bundle },
      env: this.props.env(),
      execArgv: [],
      stdout: true,
      stderr: true,
    })
    for (const output of [worker.stdout, worker.stderr]) {
      createInterface({ input: output }).on('line', this.props.onLog)
    }
    worker.on('message', ({ id, result, error, exchange }) => {
      if (exchange) {
        this.props.onRequest(exchange)
        return
      }
      const job = this.pending.get(id)
      this.pending.delete(id)
      if (error) job?.reject(error)
      else job?.resolve(result as never)
    })
    worker.on('error', (error) => this.props.onLog(`The integration crashed: ${String(error)}`))
    worker.on('exit', () => {
      this.worker = undefined
      for (const { reject } of this.pending.values()) reject(new Error('its instance ended'))
      this.pending.clear()
    })
    return worker
  }
}
