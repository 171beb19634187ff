import { describe, expect, it } from 'vitest'
import { inOptions } from '../command-line/in-options'
import { adviceOnOptions } from '../command-line/options'
import { CHECK_OPTIONS, readCheckOptions } from './options'

/** What the command prints where it cannot check anything. */
const refusalOf = (args: string[]): Promise<string> =>
  readCheckOptions(args).then(
    () => '',
    (error: Error) => adviceOnOptions(error, CHECK_OPTIONS) ?? inOptions(error.message)
  )

describe('readCheckOptions', () => {
  it('reads them, but for --help', async () => {
    expect(await readCheckOptions(['--endpoint', 'http://127.0.0.1:1/bot', '--json'])).toMatchObject({
      options: { endpoint: 'http://127.0.0.1:1/bot' },
      json: true,
    })
    expect(await readCheckOptions(['-h'])).toBeUndefined()
  })

  it.each([
    [[], '--endpoint is missing: npm run check-backend -- --endpoint http://localhost:8080/bot'],
    [['--endpoint', 'bot'], '--endpoint is not a URL.'],
    [['--endpoint', 'ftp://127.0.0.1/'], '--endpoint begins with "ftp:"'],
    [['--endpoint', 'http://127.0.0.1:1/', '--secret', 'short'], '--secret is malformed.'],
    [['--endpoint', 'http://127.0.0.1:1/', '--header', 'none'], '--header is malformed.'],
    [['--endpoint', 'http://127.0.0.1:1/', '--secret', ''], '--secret is empty: leave it out, or give it a value.'],
    [['--endpoint', 'http://nobody.invalid/'], 'nobody.invalid is not found (ENOTFOUND)'],
    [['--endpoint', 'https://192.0.2.1/bot'], '192.0.2.1 is not this machine (192.0.2.1), and nothing was sent.'],
    [['--endpint', 'x'], 'The options are --endpoint URL'],
  ])('refuses %j: %s', async (args, words) => {
    expect(await refusalOf(args)).toContain(words)
  })

  it('takes an endpoint of others where that is said', async () => {
    expect(await refusalOf(['--endpoint', 'https://192.0.2.1/bot', '--yes-send-to-others'])).toBe('')
  })
})
