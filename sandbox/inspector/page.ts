import type { FastifyInstance } from 'fastify'
import { randomBytes, randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { IntegrationResponse } from '../cloud/function-host/integration-call'
import { refuseOtherNames } from '../cloud/loopback'
import { borrowedFile, ownFile } from '../package-files'
import { serveFolder } from '../serve-folder'
import type { Faults } from '../control/faults'
import { guideAsHtml } from './guide'
import { refuseOtherSites } from '../control/refuse-other-sites'
import type { Wire, WireEvent } from './wire'

/** What the page has to know of the sandbox. */
export type PageStart = {
  webhookUrl: string
  apiUrl: string
  /** Lets the page in at the webhook. */
  key: string
  /** Lets it in at the API. */
  token: string
  /** Where messages of the bot go, without its query, which may be secret; absent if they are fetched. */
  endpoint?: string
  ownEndpoint: boolean
}

type PageProps = {
  wire: Wire
  faults: Faults
  start: () => PageStart
  /** Delivers a message of the bot once more. */
  redeliver: (messageId: string) => Promise<IntegrationResponse>
}

/** What may wait, beside all that there was at the beginning, for a page that does not read its events: it is dropped then. */
const MAX_UNREAD_BYTES = 4 * 1024 * 1024

/** What a link leads to. */
const DOCUMENTS = ['/', '/guide']

/** By the names that the page imports them by. */
export const MODULES = {
  preact: 'preact/dist/preact.mjs',
  'preact/hooks': 'preact/hooks/dist/hooks.mjs',
  htm: 'htm/dist/htm.mjs',
  'htm/preact': 'htm/preact/index.mjs',
  '@preact/signals': '@preact/signals/dist/signals.mjs',
  '@preact/signals-core': '@preact/signals-core/dist/signals-core.mjs',
}

const IMPORT_MAP = JSON.stringify({
  imports: Object.fromEntries(Object.entries(MODULES).map(([name, path]) => [name, `/modules/${path}`])),
})

const read = (file: URL) => readFile(file, 'utf8')

/**
 * Serves the page that shows the conversation and the wire, live. It holds the token, so that it is for itself alone:
 * requests of other origins are refused.
 */
export const servePage = async (server: FastifyInstance, { wire, faults, start, redeliver }: PageProps) => {
  /** Another one after each start and reset. */
  let run = randomUUID()
  wire.on('reset', () => (run = randomUUID()))

  refuseOtherNames(server)
  refuseOtherSites(server, DOCUMENTS)
  server.addHook('onRequest', async (_request, reply) => {
    reply.raw.setHeader('x-content-type-options', 'nosniff')
  })

  const serveDocument = (path: string, file: string, parts: () => Promise<Record<string, string>>) =>
    server.get(path, async (_request, reply) => {
      const nonce = randomBytes(16).toString('base64')
      const html = Object.entries({ ...(await parts()), nonce }).reduce(
        (whole, [name, part]) => whole.replaceAll(`{{${name}}}`, () => part),
        await read(ownFile(`inspector/${file}`))
      )
      return reply
        .headers({
          'content-type': 'text/html; charset=utf-8',
          // What a message shows may come from elsewhere, and nothing else.
          'content-security-policy': `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; connect-src 'self'; img-src http: https: data:; media-src http: https: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
          'referrer-policy': 'no-referrer',
          'cache-control': 'no-store',
        })
        .send(html)
    })

  serveDocument('/', 'index.html', async () => ({ importMap: IMPORT_MAP }))
  serveDocument('/guide', 'guide.html', async () => ({ guide: await guideAsHtml() }))
  serveFolder(server, '/page', ownFile('inspector/browser/'))
  for (const path of Object.values(MODULES)) {
    server.get(`/modules/${path}`, async (_request, reply) =>
      reply.type('text/javascript').send(await read(borrowedFile(`modules/${path}`, `node_modules/${path}`)))
    )
  }
  server.get('/page/icon.svg', async (_request, reply) =>
    reply.type('image/svg+xml').send(await read(borrowedFile('icon.svg', 'icon.svg')))
  )

  server.get('/events', async (_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    const write = (kind: string, data: unknown) => reply.raw.write(`event: ${kind}\ndata: ${JSON.stringify(data)}\n\n`)
    const writeEvent = (event: WireEvent) => {
      if (event.kind === 'exchange') write('exchange', event.exchange)
      else if (event.kind === 'message') write('message', event.message)
      else write('instances', event.instances)
    }
    const writeFaults = () => write('faults', faults.get())
    const writeStart = () => write('start', { ...start(), run })
    writeStart()
    wire.events.forEach(writeEvent)
    writeFaults()
    const limit = reply.raw.writableLength + MAX_UNREAD_BYTES
    const writeNews = (event: WireEvent) => {
      writeEvent(event)
      // A page that is there comes back by itself, and gets everything anew.
      if (reply.raw.writableLength > limit) reply.raw.destroy()
    }
    wire.on('event', writeNews)
    wire.on('reset', writeStart)
    faults.on('change', writeFaults)
    reply.raw.once('close', () => {
      wire.off('event', writeNews)
      wire.off('reset', writeStart)
      faults.off('change', writeFaults)
    })
  })

  server.get<{ Params: { id: string } }>('/exchanges/:id', async ({ params: { id } }, reply) =>
    reply.code(wire.exchange(id) ? 200 : 404).send(wire.exchange(id) ?? { message: 'It is no longer kept' })
  )

  server.get<{ Params: { id: string } }>('/messages/:id', async ({ params: { id } }, reply) =>
    reply.code(wire.message(id) ? 200 : 404).send(wire.message(id) ?? { message: 'It is no longer kept' })
  )

  server.post<{ Params: { id: string } }>('/messages/:id/deliveries', async ({ params: { id } }, reply) => {
    if (wire.message(id)?.direction !== 'outgoing') {
      return reply.code(404).send({ message: `There is no message ${id} of the bot any more` })
    }
    const { status, body } = await redeliver(id)
    return reply.code(200).send(status < 300 ? {} : JSON.parse(body ?? '{}'))
  })
}
