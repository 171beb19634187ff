import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { refuseOtherNames } from '../cloud/loopback'
import { sendProblem } from '../cloud/problem'
import { type Control, conversationId } from './control'
import { parse } from './parse'
import { MAX_WAIT_SECONDS } from './record'
import { refuseOtherSites } from './refuse-other-sites'

const botMessage = z
  .strictObject({
    conversationId,
    type: z.string().min(1).max(200).default('text'),
    payload: z.record(z.string(), z.unknown()).optional(),
    text: z.string().min(1).optional(),
  })
  .refine(({ payload, text }) => (payload === undefined) !== (text === undefined), 'Send either a payload or a text')

const wanted = z
  .strictObject({
    conversationId,
    count: z.coerce.number().int().min(0),
    wait: z.coerce.number().min(0).max(MAX_WAIT_SECONDS),
  })
  .partial()
  .transform(({ wait, ...more }) => ({ ...more, waitSeconds: wait }))

/** Serves the control API. It takes JSON alone, which pages of other sites cannot send. */
export const serveControl = async (server: FastifyInstance, control: Control) => {
  refuseOtherNames(server)
  refuseOtherSites(server)
  server.removeContentTypeParser('text/plain')
  // Also what has no body may say that it is JSON.
  server.removeContentTypeParser('application/json')
  server.addContentTypeParser(
    'application/json',
    { parseAs: 'string' },
    async (_request: FastifyRequest, text: string) => (text === '' ? undefined : JSON.parse(text))
  )
  server.setErrorHandler<Error & { statusCode?: number }>((error, _request, reply) =>
    sendProblem(reply, error.statusCode ?? (error instanceof SyntaxError ? 400 : 500), error.message)
  )
  server.all('/*', (request, reply) =>
    sendProblem(reply, 404, `There is no ${request.method} ${request.url} in the control API.`)
  )
  server.get('/', async () => ({ ...control.access, counts: control.counts }))
  server.post('/reset', async (_request, reply) => {
    await control.reset()
    return reply.code(204).send()
  })
  server.post('/messages', async ({ body }) => {
    const { conversationId: where, type, payload = {}, text } = parse(botMessage, body)
    return control.say(where, { type, payload: text === undefined ? payload : { ...payload, text } })
  })
  server.get('/received', async ({ query }) => ({ received: await control.received(parse(wanted, query)) }))
  server.get('/deliveries', async ({ query }) => ({ deliveries: await control.deliveries(parse(wanted, query)) }))
  server.put('/faults', async ({ body }) => control.setFaults(body))
  server.delete('/faults', async () => control.setFaults())
}
