import type { FastifyInstance } from 'fastify'
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { SwitchPositions, Switches } from './switches'
import type { Wire, WireEvent } from './wire'

/** What the page has to know of the sandbox. */
export type PageStart = {
  webhookUrl: string
  apiUrl: string
  /** Lets the page in at the webhook. */
  key: string
  /** Lets it in at the API. */
  token: string
  ownEndpoint: boolean
}

export type PageProps = { wire: Wire; switches: Switches; start: () => PageStart }

/** What may wait, beside all that there was at the beginning, for a page that does not read its events: it is dropped then. */
const MAX_UNREAD_BYTES = 4 * 1024 * 1024

const switchPositions = {
  type: 'object',
  properties: {
    endpoint: { enum: ['answers', 'fails twice', 'is down', 'hangs once', 'redirects'] },
    botpress: {
      type: 'object',
      properties: { status: { enum: [429, 502] }, calls: { type: 'integer', minimum: 0, maximum: 100 } },
      required: ['status', 'calls'],
    },
  },
  required: ['endpoint', 'botpress'],
}

/**
 * Serves the page that shows the conversation and the wire, live. It holds the token, so that it is for itself alone:
 * requests of other origins are refused.
 */
export const servePage = async (server: FastifyInstance, { wire, switches, start }: PageProps) => {
  server.addHook('onRequest', async (request, reply) => {
    const { origin } = request.headers
    const isSameOrigin = origin === undefined || origin === `http://${request.headers.host}`
    const isSameSite = request.headers['sec-fetch-site'] !== 'cross-site'
    if (!isSameOrigin || !isSameSite) {
      return reply.code(403).send({ message: 'This page is for the machine that it runs on' })
    }
  })

  server.get('/', async (_request, reply) => {
    const nonce = randomBytes(16).toString('base64')
    const page = await readFile(new URL('./page.html', import.meta.url), 'utf8')
    return reply
      .headers({
        'content-type': 'text/html; charset=utf-8',
        // What a message shows may come from elsewhere, and nothing else.
        'content-security-policy': `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; connect-src 'self'; img-src http: https: data:; media-src http: https: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
      })
      .send(page.replaceAll('{{nonce}}', nonce))
  })

  server.get('/events', async (_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    const write = (kind: string, data: unknown) => reply.raw.write(`event: ${kind}\ndata: ${JSON.stringify(data)}\n\n`)
    const writeEvent = (event: WireEvent) => {
      if (event.kind === 'exchange') write('exchange', event.exchange)
      else if (event.kind === 'message') write('message', event.message)
      else write('instances', event.instances)
    }
    write('start', start())
    wire.events.forEach(writeEvent)
    write('switches', switches.get())
    const limit = reply.raw.writableLength + MAX_UNREAD_BYTES
    const writeNews = (event: WireEvent) => {
      writeEvent(event)
      if (event.kind === 'exchange') write('switches', switches.get())
      // A page that is there comes back by itself, and gets everything anew.
      if (reply.raw.writableLength > limit) reply.raw.destroy()
    }
    wire.on('event', writeNews)
    reply.raw.once('close', () => wire.off('event', writeNews))
  })

  server.put<{ Body: SwitchPositions }>('/switches', { schema: { body: switchPositions } }, async (request, reply) => {
    switches.set(request.body)
    return reply.send(switches.get())
  })
}
