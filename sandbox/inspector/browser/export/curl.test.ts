import { describe, expect, it } from 'vitest'
import { exchange } from '../model/trace-for-test'
import { curlOf } from './curl.js'

const start = { apiUrl: 'http://localhost:3000', key: 'the-key', token: 'the-token' }

const curl = (fields: Parameters<typeof exchange>[0]) =>
  curlOf(exchange({ to: 'webhook', url: '/webhook', ...fields }), start)

describe('a request as a curl', () => {
  it.each([
    ['Bearer ••• (access key)', 'Bearer the-key'],
    ['Bearer ••• (Personal Access Token)', 'Bearer the-token'],
    ['Bearer ••• (the integration’s token)', 'Bearer the-token'],
    ['Bearer ••• (unknown)', 'Bearer a-wrong-credential'],
    ['••• (unknown)', 'a-wrong-credential'],
    ['••• (endpoint header)', 'the endpoint header'],
  ])('has for %s: %s', (shown, sent) => {
    expect(curl({ requestHeaders: { authorization: shown } })).toContain(`-H 'authorization: ${sent}'`)
  })

  it('keeps quotes, and an empty header', () => {
    const command = curl({ requestHeaders: { 'x-note': `it's`, 'x-empty': '' }, requestBody: `{"a":"it's"}` })
    expect(command).toContain(`-H 'x-note: it'\\''s'`)
    expect(command).toContain(`-H 'x-empty;'`)
    expect(command).toContain(`--data-raw '{"a":"it'\\''s"}'`)
  })

  it('leaves out what curl makes itself', () => {
    expect(curl({ requestHeaders: { host: 'x', 'content-length': '2', 'sec-fetch-mode': 'cors' } })).not.toMatch(/-H/)
  })

  it.each(['x'.repeat(100_001), '漢'.repeat(40_000)])(
    'takes what is too long for a command line through a file',
    (body) => {
      const command = curl({ requestBody: body })
      expect(command).toMatch(/^body=\$\(mktemp\)\nprintf %s '[x漢]+' > "\$body"\ncurl -g -X POST/)
      expect(command).toMatch(/--data-binary @"\$body"$/)
    }
  )
})
