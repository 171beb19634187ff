import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { SNIPPETS } from '../../sandbox/inspector/browser/export/snippets.js'
import { type Sandbox, startSandbox } from '../../sandbox/sandbox'

/** How each is run, as its line on the page says; and what tells whether its language is on the machine. */
const LANGUAGES: [name: string, command: string[], probe: string[]][] = [
  ['curl', ['sh'], ['curl', '--version']],
  ['Node.js', ['node'], ['node', '--version']],
  ['Python', ['python3'], ['python3', '--version']],
  ['PHP', ['php'], ['php', '--version']],
  ['Go', ['go', 'run'], ['go', 'version']],
]

let sandbox: Sandbox

const KEY = 'an-access-key-to-try-things-out-with'

beforeAll(async () => {
  sandbox = await startSandbox({ accessKey: KEY })
  return sandbox.close
})

describe('a snippet of the page sends the bot a message, and prints its reply', () => {
  it('in each language that the page has', () => {
    expect(LANGUAGES.map(([name]) => name)).toEqual(Object.keys(SNIPPETS))
    for (const [name, command] of LANGUAGES)
      expect(SNIPPETS[name]!.run).toMatch(name === 'curl' ? /^$/ : new RegExp(`^${command.join(' ')}`))
  })

  for (const [name, [command, ...args], [probe, ...probeArgs]] of LANGUAGES) {
    it.skipIf(spawnSync(probe!, probeArgs).status !== 0)(`in ${name}`, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'snippet-'))
      onTestFinished(() => rm(folder, { recursive: true, force: true }))
      const { file, code } = SNIPPETS[name]!
      const path = join(folder, name === 'curl' ? 'send.sh' : file)
      await writeFile(path, code({ webhookUrl: sandbox.webhookUrl, key: KEY }))
      const env = {
        ...process.env,
        GOCACHE: join(folder, 'cache'),
        GOPATH: join(folder, 'go'),
        GOFLAGS: '-buildvcs=false',
      }
      const { stdout } = await promisify(execFile)(command!, [...args, path], { cwd: folder, env })
      expect(stdout).toContain('You said: Hello')
    })
  }
})
