import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'

const run = promisify(execFile)

describe('the package, packed and installed in an empty folder', () => {
  let folder: string
  const bin = () => join(folder, 'node_modules/.bin/messaging-api-sandbox')

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'package-'))
    // What npm pack would run first, where it would run it; the integration is built.
    await run(process.execPath, ['--import', 'tsx', 'build.ts'], { cwd: 'sandbox' })
    const packing = ['pack', '--workspace', 'sandbox', '--ignore-scripts', '--pack-destination', folder]
    await run('npm', packing)
    await writeFile(join(folder, 'package.json'), '{ "private": true }')
    const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'))
    await run('npm', ['install', '--offline', '--no-audit', '--no-fund', `./${tarball}`], { cwd: folder })
    return () => rm(folder, { recursive: true })
  })

  it('comes alone: nothing else is installed', async () => {
    const installed = await readdir(join(folder, 'node_modules'))
    expect(installed.toSorted()).toEqual(['.bin', '.package-lock.json', 'messaging-api-sandbox'])
  })

  it('has one round trip by its bin, and its commands have its name', async () => {
    const { stdout } = await run(bin(), ['--once'], { cwd: folder })
    expect(stdout).toMatch(/^you: Hello\nbot: You said: Hello\nThere and back in \d+ ms\.\n$/)
    expect((await run(bin(), ['--help'], { cwd: folder })).stdout).toContain('\nmessaging-api-sandbox [options]\n')
    const help = (await run(bin(), ['check', '--help'], { cwd: folder })).stdout
    expect(help).toContain('\nmessaging-api-sandbox check --endpoint URL [options]\n')
    const nobody = run(bin(), ['check', '--endpoint', 'http://localhost:1/bot'], { cwd: folder })
    await expect(nobody).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/Nobody listens at localhost:1: .*\n$/),
    })
  })

  it('is driven by Python’s standard library alone: started, talked to, made to fail, ended', async () => {
    const script = `
import json, os, subprocess, sys, time, urllib.request as http
ready = os.path.join(sys.argv[2], 'ready.json')
process = subprocess.Popen([sys.argv[1], '--port', '0', '--no-page', '--ready-file', ready], stdout=subprocess.DEVNULL)
while not os.path.exists(ready): time.sleep(0.1)
access = json.load(open(ready))
def call(method, url, body=None, **headers):
    data = None if body is None else json.dumps(body).encode()
    request = http.Request(url, data, {'content-type': 'application/json', **headers}, method=method)
    return json.loads(http.urlopen(request).read() or 'null')
call('PUT', access['controlUrl'] + '/faults', {'endpoint': {'reset': True, 'times': 1}})
message = {'userId': 'ada', 'conversationId': 'tea', 'messageId': 'm1', 'type': 'text', 'text': 'Hi'}
call('POST', access['webhookUrl'], message, authorization='Bearer ' + access['credential'])
[delivery] = call('GET', access['controlUrl'] + '/deliveries?count=1&wait=30')['deliveries']
process.terminate()
print(delivery['outcome'], len(delivery['tries']), process.wait(5))
`
    expect((await run('python3', ['-c', script, bin(), folder])).stdout).toBe('delivered 2 0\n')
  })

  it('is a library for Node', async () => {
    await writeFile(
      join(folder, 'use.mjs'),
      `import { startSandbox } from 'messaging-api-sandbox'
       const sandbox = await startSandbox({ bot: ({ payload }) => 'Echo: ' + payload.text })
       await fetch(sandbox.webhookUrl, {
         method: 'POST',
         headers: { authorization: 'Bearer ' + sandbox.credential, prefer: 'wait=10, replies=1' },
         body: JSON.stringify({ userId: 'ada', conversationId: 'tea', messageId: 'm1', type: 'text', text: 'Hi' }),
       })
       await sandbox.deliveries({ count: 1, waitSeconds: 20 })
       sandbox.setFaults({ endpoint: { status: 400 } })
       await sandbox.say('tea', 'More')
       const deliveries = await sandbox.deliveries({ count: 2, waitSeconds: 20 })
       console.log(deliveries.map(({ payload, outcome }) => payload.text + ' ' + outcome).join())
       await sandbox.reset()
       console.log((await sandbox.received()).length)
       const failing = [() => sandbox.setFaults({ endpoint: { stauts: 503 } }), () => sandbox.say('', 'x'), () => startSandbox({ accessKey: 'x' })]
       for (const work of failing) await Promise.resolve().then(work).catch(({ message }) => console.log(message))
       const waiting = sandbox.received({ count: 9 })
       await sandbox.close()
       console.log((await waiting).length)`
    )
    const { stdout } = await run(process.execPath, ['use.mjs'], { cwd: folder })
    expect(stdout.split('\n')).toEqual([
      'Echo: Hi delivered,More failed',
      '0',
      'endpoint: Unrecognized key: "stauts"',
      expect.stringMatching(/^Too small/),
      'There is no option accessKey of startSandbox.',
      '0',
      '',
    ])
  })

  it('has types that need nothing else', async () => {
    await writeFile(
      join(folder, 'use.mts'),
      `import { type Bot, startSandbox } from 'messaging-api-sandbox'
       const bot: Bot = async ({ type, conversationId }) => [type, { type: 'markdown', payload: { markdown: conversationId ?? '' } }]
       const { say, close } = await startSandbox({ bot, secret: 'whsec_' })
       const { botpressMessageId } = await say('tea', { type: 'text', payload: { text: 'Hi' } })
       await close()
       export const length: number = botpressMessageId.length
       // @ts-expect-error it has no such option
       await startSandbox({ colour: 'red' })`
    )
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022']
    const tsc = run(process.execPath, [resolve('node_modules/typescript/bin/tsc'), ...options, 'use.mts'], {
      cwd: folder,
    })
    expect((await tsc).stdout).toBe('')
  })

  it('is the cloud of the example in pytest', async () => {
    const env = { ...process.env, SANDBOX: bin(), PYTHONDONTWRITEBYTECODE: '1' }
    const { stdout } = await run('python3', ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', 'examples/pytest'], {
      env,
    })
    expect(stdout).toMatch(/^3 passed/m)
  })
})
