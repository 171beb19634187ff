import { execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import type { StartInstance } from '../../sandbox/cloud/function-host/instance'

/** Where npm has put a Node of that version, from its package `node`. */
export const nodeOf = async (version: string): Promise<string> => {
  const { stdout } = await promisify(execFile)(
    'npm',
    // Its script puts the program in its place, and npm may have been told to run none.
    ['exec', '--yes', '--ignore-scripts=false', `--package=node@${version}`, '--', 'node', '-p', 'process.execPath'],
    { cwd: tmpdir() }
  )
  return stdout.trim()
}

/** Starts instances in processes of another Node. They are not frozen. */
export const startInProcessOf =
  (execPath: string): StartInstance =>
  ({ bundle, env, onLog, onEnd }) => {
    const child = fork(new URL('./serve-bundle.cjs', import.meta.url), [bundle], {
      execPath,
      execArgv: [],
      env,
      silent: true,
    })
    let job: { resolve: (result: never) => void; reject: (error: Error) => void } | undefined
    for (const output of [child.stdout!, child.stderr!]) createInterface({ input: output }).on('line', onLog)
    child.on('message', ({ result }: { result: never }) => job?.resolve(result))
    child.once('exit', () => {
      job?.reject(new Error('its process ended'))
      onEnd()
    })
    return {
      carryOut: (what) =>
        new Promise((resolve, reject) => {
          job = { resolve, reject }
          child.send(what)
        }),
      end: async () => {
        if (child.exitCode !== null) return
        child.kill()
        await once(child, 'exit')
      },
    }
  }
