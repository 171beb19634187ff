import { type ChildProcess, execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import {
  BUNDLE,
  type IntegrationRequest,
  type IntegrationResponse,
  type IntegrationRuntimeProps,
  type Runtime,
} from '../../sandbox/cloud/integration-runtime'

/** Where npm has put a Node of that version, from its package `node`. */
export const nodeOf = async (version: string): Promise<string> => {
  const { stdout } = await promisify(execFile)(
    'npm',
    ['exec', '--yes', `--package=node@${version}`, '--', 'node', '-p', 'process.execPath'],
    { cwd: tmpdir() }
  )
  return stdout.trim()
}

/** Runs the built integration in a process of another Node. */
export class BundleProcess implements Runtime {
  private child: ChildProcess | undefined
  private lastId = 0

  constructor(
    private readonly execPath: string,
    private readonly props: IntegrationRuntimeProps
  ) {}

  async call(request: IntegrationRequest): Promise<IntegrationResponse> {
    return this.carryOut<IntegrationResponse>({ request })
  }

  async heapUsed(): Promise<number> {
    return this.carryOut<number>({})
  }

  async stop(): Promise<void> {
    const { child } = this
    this.child = undefined
    if (!child || child.exitCode !== null) return
    child.kill()
    await once(child, 'exit')
  }

  private carryOut<Result>(job: { request?: IntegrationRequest }): Promise<Result> {
    const child = (this.child ??= this.start())
    const id = ++this.lastId
    return new Promise((resolve) => {
      const onMessage = (message: { id: number; result: Result }) => {
        if (message.id !== id) return
        child.off('message', onMessage)
        resolve(message.result)
      }
      child.on('message', onMessage)
      child.send({ id, job })
    })
  }

  private start(): ChildProcess {
    const child = fork(new URL('./serve-bundle.cjs', import.meta.url), [BUNDLE], {
      execPath: this.execPath,
      execArgv: [],
      env: this.props.env(),
      silent: true,
    })
    for (const output of [child.stdout!, child.stderr!]) createInterface({ input: output }).on('line', this.props.onLog)
    // One listener for each call that is under way.
    child.setMaxListeners(0)
    return child
  }
}
