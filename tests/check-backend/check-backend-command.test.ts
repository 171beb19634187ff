import { execFile, spawn } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { checkBackend, type Result } from '../../sandbox/check-backend/check-backend'
import { HEADER, SECRET, startBackend } from './slipping-backend'
import { freePort } from '../harness/free-port'

type Outcome = { code: number; stdout: string; stderr: string }

/** Runs `npm run check-backend` without its build, to its end. */
const run = (...options: string[]): Promise<Outcome> =>
  promisify(execFile)(process.execPath, ['--import', 'tsx', 'sandbox/command-line/cli.ts', 'check', ...options], {
    // What asks for colours, and yet is no terminal.
    // And a proxy that is not there.
    env: {
      ...process.env,
      CI: 'true',
      NO_COLOR: '',
      http_proxy: 'http://127.0.0.1:1',
      HTTP_PROXY: 'http://127.0.0.1:1',
    },
  }).then(
    (output) => ({ code: 0, ...output }),
    (error: Outcome) => error
  )

describe('npm run check-backend', () => {
  it.each([
    ['node', process.execPath, 'examples/node/backend.mjs'],
    ['python', 'python3', 'examples/python/backend.py'],
    ['the bridge to Chatwoot', process.execPath, 'examples/chatwoot/bridge.mjs'],
  ])('passes the example: %s', async (what, command, file) => {
    const env = { ...process.env, WEBHOOK_URL: 'http://127.0.0.1:1/', ACCESS_KEY: 'x', SIGNING_SECRET: SECRET }
    // Nothing listens there.
    const chatwoot = {
      CHATWOOT_URL: 'http://127.0.0.1:1',
      CHATWOOT_ACCOUNT: '1',
      CHATWOOT_TOKEN: 'x',
      CHATWOOT_SECRETS: 'x',
    }
    const port = await freePort()
    const stateFile = join(tmpdir(), `chatwoot-bridge-${port}.json`)
    onTestFinished(() => rm(stateFile, { force: true }))
    const example = spawn(command, [file], {
      env: { ...env, ...chatwoot, PORT: String(port), STATE_FILE: stateFile },
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    onTestFinished(() => void example.kill('SIGKILL'))
    let output = ''
    example.stdout.on('data', (chunk) => (output += chunk))
    await expect.poll(() => output).toContain('Listening')
    const endpoint = `http://127.0.0.1:${port}/bot`
    const outcomes = (await checkBackend({ endpoint, signingSecret: SECRET })).map(({ outcome }) => outcome)
    expect(outcomes.toSorted()).toEqual([...Array(2).fill('not applicable'), ...Array(30).fill('passed')])
    // What it could not do comes after the answer: it goes on all the same.
    if (!what.includes('Chatwoot')) expect(output).toContain('check-backend: Hello')
    expect(example.exitCode).toBe(null)
  })

  it('prints a line for each check; of one that failed what was sent, what came back, and what to do', async () => {
    const endpoint = await startBackend(({ body }) => (body?.type === 'audio' ? 422 : undefined))
    const { code, stdout, stderr } = await run('--endpoint', endpoint, '--secret', SECRET, '--header', HEADER)
    expect(code).toBe(1)
    expect(stderr).toBe(`Sends ${endpoint} up to 56 requests, within a minute.\n\n`)
    // oxlint-disable-next-line no-control-regex
    expect(stdout).not.toMatch(/\u001b/)
    const lines = stdout.split('\n')
    expect(lines.filter((line) => line.startsWith('passed'))).toHaveLength(31)
    const at = lines.findIndex((line) => line.startsWith('failed'))
    expect(lines[at]).toMatch(/^failed +takes the type audio +audio \{"audioUrl".* 422 in \d+ ms/)
    expect(lines[at + 1]).toMatch(/^ +sent: audio \{"audioUrl":"http.*bell\.wav"\}$/)
    expect(lines[at + 2]).toMatch(/^ +came back: 422 in \d+ ms$/)
    expect(lines[at + 3]).toMatch(/^ +to do: Answer 2xx to the type audio too/)
    expect(stdout).toContain('31 passed, 1 failed, 0 not applicable')
  })

  it('prints JSON alone for machines', async () => {
    const endpoint = await startBackend(({ method }) => (method === 'GET' ? 500 : undefined))
    const { code, stdout } = await run(
      '--endpoint',
      `${endpoint}?key=hidden`,
      '--secret',
      SECRET,
      '--header',
      HEADER,
      '--json'
    )
    expect(code).toBe(1)
    const report = JSON.parse(stdout)
    expect([report.endpoint, report.failed, report.checks.length]).toEqual([endpoint, 1, 32])
    expect(report.checks.find(({ outcome }: Result) => outcome === 'failed')).toEqual({
      check: 'bears a GET',
      outcome: 'failed',
      sent: 'GET, then a text',
      received: expect.stringMatching(/^500 in \d+ ms, then 204 in \d+ ms$/),
      advice: expect.stringContaining('405'),
    })
    expect(stdout).not.toContain('hidden')
  })

  it('ends with 2 where nothing could be checked, and says why', async () => {
    const { code, stdout, stderr } = await run('--endpoint', 'https://192.0.2.1/bot')
    expect(stderr).toBe(
      '192.0.2.1 is not this machine (192.0.2.1), and nothing was sent. If the backend there is yours, and may get ' +
        'messages that are no real ones, add --yes-send-to-others.\n'
    )
    expect([code, stdout]).toEqual([2, ''])
  })

  it('prints its options', async () => {
    const { code, stdout } = await run('--help')
    expect(code).toBe(0)
    for (const option of ['--endpoint URL', '--secret whsec_…', '--header', '--yes-send-to-others', '--json']) {
      expect(stdout).toContain(option)
    }
  })
})
