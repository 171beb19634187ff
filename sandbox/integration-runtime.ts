import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { Worker } from 'node:worker_threads'

/** Where `npm run build` puts the integration. */
export const BUNDLE = resolve('.botpress/dist/index.js')

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
}

/**
 * Runs the built integration as the cloud does: in an instance that starts at the first call, stays warm, and is
 * started anew after a crash.
 */
export class IntegrationRuntime {
  private worker: Worker | undefined
  private readonly pending = new Map<number, (response: IntegrationResponse) => void>()
  private lastId = 0

  /** @throws Error when the integration is not built */
  constructor(private readonly props: IntegrationRuntimeProps) {
    if (!existsSync(this.bundle)) {
      throw new Error(`There is no ${this.bundle}: build the integration first, with npm run build.`)
    }
  }

  /** Resolves to the integration's answer, or to one of status 500 where it crashes. */
  call(request: IntegrationRequest): Promise<IntegrationResponse> {
    this.worker ??= this.start()
    const id = ++this.lastId
    this.worker.postMessage({ id, request })
    return new Promise((answer) => this.pending.set(id, answer))
  }

  /** Ends the instance, with all that it remembers. The next call starts another. */
  async stop(): Promise<void> {
    await this.worker?.terminate()
  }

  private get bundle(): string {
    return this.props.bundle ?? BUNDLE
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
    worker.on('message', ({ id, response, error }) => {
      this.pending.get(id)?.(error ? crashed(error) : response)
      this.pending.delete(id)
    })
    worker.on('error', (error) => this.props.onLog(`The integration crashed: ${String(error)}`))
    worker.on('exit', () => {
      this.worker = undefined
      for (const answer of this.pending.values()) answer(crashed('its instance ended'))
      this.pending.clear()
    })
    return worker
  }
}

const crashed = (reason: unknown): IntegrationResponse => ({
  status: 500,
  body: JSON.stringify({ message: `The integration crashed: ${String(reason)}` }),
})
