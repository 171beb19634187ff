import type { FastifyInstance } from 'fastify'
import { fileURLToPath } from 'node:url'
import sirv from 'sirv'

/**
 * Serves the files of a folder, as they are at the time.
 *
 * @param path where, without a slash at its end
 */
export const serveFolder = (server: FastifyInstance, path: string, folder: URL): void => {
  const serve = sirv(fileURLToPath(folder), { dev: true, etag: true })
  server.get(`${path}/*`, (request, reply) => {
    reply.hijack()
    request.raw.url = request.raw.url!.slice(path.length)
    serve(request.raw, reply.raw)
  })
}
