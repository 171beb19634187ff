import openapiTS, { astToString } from 'openapi-typescript'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { installationForTest } from '../harness/for-test'

/** What somebody writes who has types made of openapi.json. */
const PROGRAM = `
import createClient from 'openapi-fetch'
import type { components, paths } from './api'

const [baseUrl = '', token = ''] = process.argv.slice(2)
const client = createClient<paths>({ baseUrl, headers: { authorization: \`Bearer \${token}\` } })

const sent = await client.POST('/', {
  params: { header: { Prefer: 'wait=10, replies=1' } },
  body: {
    userId: 'ada',
    conversationId: 'tea',
    messageId: '1',
    type: 'order',
    payload: { id: 42, lines: ['tea'] },
    user: { name: 'Ada' },
  },
})
if (!sent.data) throw new Error(sent.error.detail)
const reply: components['schemas']['OutgoingMessage'] | undefined = sent.data.replies?.[0]

const read = await client.GET('/messages', { params: { query: { conversationId: 'tea' } } })
const directions: ('incoming' | 'outgoing')[] = read.data?.messages.map(({ direction }) => direction) ?? []

const refused = await client.POST('/', {
  body: { userId: '', conversationId: 'tea', messageId: '2', type: 'text', text: 'Hello' },
})
console.log(JSON.stringify([reply?.payload.text, directions, refused.error?.errors?.[0]?.path]))
`

it('a client that openapi-typescript and openapi-fetch make of openapi.json type-checks, and works', async () => {
  // Within the project, for its packages.
  await mkdir('node_modules/.cache', { recursive: true })
  const folder = await mkdtemp(resolve('node_modules/.cache/openapi-client-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'api.ts'), astToString(await openapiTS(new URL('../../openapi.json', import.meta.url))))
  await writeFile(join(folder, 'client.mts'), PROGRAM)

  const run = async (...args: string[]) => (await promisify(execFile)(process.execPath, args, { cwd: folder })).stdout
  const tsc = resolve('node_modules/typescript/bin/tsc')
  const options = ['--strict', '--noUncheckedIndexedAccess', '--skipLibCheck', '--noEmit', '--types', 'node']
  await expect(
    run(tsc, ...options, '--module', 'preserve', '--target', 'es2022', 'client.mts').catch(({ stdout }) => stdout)
  ).resolves.toBe('')

  const { webhookUrl, token } = await installationForTest()
  const output = await run('--import', 'tsx', 'client.mts', webhookUrl, token)
  expect(JSON.parse(output)).toEqual(['You sent a message of type order.', ['outgoing', 'incoming'], 'userId'])
})
