import { expect, it } from 'vitest'
import { request, tryOf } from '../model/trace-for-test'
import { harOf } from './har.js'

const start = { apiUrl: 'http://localhost:3000', webhookUrl: '', key: '', token: '', ownEndpoint: true }

it('requests are an HTTP Archive', () => {
  const sent = request({
    at: 5,
    url: '/webhook?a=b%20c',
    requestHeaders: { 'content-type': 'application/json' },
    requestBody: '"é"',
    responseBody: 'ok',
    responseHeaders: { location: '/x' },
  })
  const failed = tryOf('a', { status: undefined, error: 'closed' })
  expect(harOf([sent, failed], start).log).toMatchObject({
    version: '1.2',
    entries: [
      {
        startedDateTime: '1970-01-01T00:00:00.005Z',
        time: 10,
        request: {
          method: 'POST',
          url: 'http://localhost:3000/webhook?a=b%20c',
          queryString: [{ name: 'a', value: 'b c' }],
          postData: { mimeType: 'application/json', text: '"é"' },
          bodySize: 4,
        },
        response: { status: 200, content: { size: 2, text: 'ok' }, redirectURL: '/x' },
      },
      { request: { url: 'http://localhost/endpoint' }, response: { status: 0 }, comment: 'closed' },
    ],
  })
})
