import { inspect } from 'node:util'
import { Worker } from 'node:worker_threads'
import { ownFile } from '../../package-files'
import type { Exchange } from '../exchange'
import type { IntegrationRequest } from './integration-call'

/** A request to handle; without one, to collect garbage and tell the size of the heap. */
export type Job = {
  request?: IntegrationRequest
  /** The id of the call. */
  call?: string
}

/** One instance of the integration. It has one job at a time. */
export type Instance = {
  /**
   * Thaws the instance, and freezes it when the job is done.
   *
   * @throws Error that says why the instance ended before
   */
  carryOut<Result>(job: Job): Promise<Result>
  /** Ends it, whatever it does. */
  end(reason: string): Promise<void>
}

/** What goes wrong with the requests of instances to the endpoint. */
export type InstanceFaults = {
  /** Of EndpointFaults. */
  memory: Int32Array
  faultyEndpoint: { port: number; secret: string }
}

export type InstanceProps = {
  bundle: string
  env: Record<string, string>
  /** Shared memory: how many milliseconds the instance's clocks are ahead. */
  elapsed: Float64Array
  faults?: InstanceFaults
  onLog: (line: string) => void
  /** Told when something goes wrong on purpose. */
  onFault: () => void
  onExchange: (exchange: Exchange) => void
  /** Told when it has ended, by itself too. */
  onEnd: () => void
}

export type StartInstance = (props: InstanceProps) => Instance

/** What V8 has made of a bundle, by its path: an instance takes half the time to start with it. */
const caches = new Map<string, Uint8Array>()

/** Starts an instance in a thread of its own, with an environment and a memory of its own. */
export const startInstance: StartInstance = ({ bundle, env, elapsed, faults, onLog, onFault, onExchange, onEnd }) => {
  /** 0 while the instance is to stand still, 1 when it is to move. */
  const gate = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(ownFile('cloud/function-host/instance-worker.cjs'), {
    workerData: { bundle, gate, elapsed, faults, cache: caches.get(bundle) },
    env,
    execArgv: [],
    stdout: true,
    stderr: true,
  })
  let reasonOfEnd = 'its instance ended by itself'
  let job: { resolve: (result: never) => void; reject: (error: unknown) => void } | undefined

  /** The beginnings of lines that are not at their end, by the output. */
  const partial = new Map<number, string>()
  const log = (output: number, text: string) => {
    const lines = ((partial.get(output) ?? '') + text).split(/\r?\n/)
    partial.set(output, lines.pop()!)
    lines.forEach(onLog)
  }
  const endLines = () => {
    for (const [output, text] of partial) if (text !== '') log(output, '\n')
  }

  /** Those that are not answered. */
  const open = new Map<string, Exchange>()
  const tell = (exchange: Exchange) => {
    if (exchange.durationMs === undefined) open.set(exchange.id, exchange)
    else open.delete(exchange.id)
    onExchange(exchange)
  }

  worker.on('message', ({ output, text, exchange, cache, fault, ...outcome }) => {
    if (fault) return onFault()
    if (cache) return void caches.set(bundle, cache)
    if (output !== undefined) return log(output, text)
    if (exchange) return tell(exchange)
    endLines()
    if ('error' in outcome) job?.reject(new Error(`it threw ${outcome.error}`))
    else job?.resolve(outcome.result as never)
  })
  worker.on('error', (error) => {
    const [firstLine] = inspect(error).split('\n')
    reasonOfEnd = `it crashed: ${firstLine}`
    onLog(`The integration crashed: ${inspect(error)}`)
  })
  worker.on('exit', () => {
    endLines()
    for (const exchange of open.values()) {
      onExchange({ ...exchange, error: 'its instance ended', durationMs: Date.now() - exchange.at })
    }
    job?.reject(new Error(reasonOfEnd))
    onEnd()
  })

  return {
    carryOut: (what) =>
      new Promise((resolve, reject) => {
        job = { resolve, reject }
        worker.postMessage(what)
        Atomics.store(gate, 0, 1)
        Atomics.notify(gate, 0)
      }),
    end: async (reason) => {
      reasonOfEnd = reason
      await worker.terminate()
    },
  }
}
