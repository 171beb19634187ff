import type { FastifyInstance } from 'fastify'
import { STATUS_CODES } from 'node:http'
import { z } from 'zod'
import { refuseOtherNames } from '../cloud/loopback'
import type { Control } from './control'
import { faultSettings } from './faults'
import { refuseOtherSites } from './refuse-other-sites'

const id = z.string().min(1).max(500)

const botMessage = z
  .strictObject({
    conversationId: id,
    type: z.string().min(1).max(200).default('text'),
    payload: z.record(z.string(), z.unknown()).optional(),
    text: z.string().min(1).optional(),
  })
  .refine(({ payload, text }) => (payload === undefined) !== (text === undefined), 'Send either a payload or a text')

const wanted = z
  .strictObject({ conversationId: id, count: z.coerce.number().int().min(0), wait: z.coerce.number().min(0).max(30) })
  .partial()
  .transform(({ wait, ...more }) => ({ ...more, waitSeconds: wait }))

/** A request of the control API was refused. */
class Refusal extends Error {
  readonly statusCode = 400
}

const parse = <T extends z.ZodType>(schema: T, value: unknown): z.output<T> => {
  const { success, data, error } = schema.safeParse(value ?? {})
  if (success) return data
  const faults = error.issues.map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message))
  throw new Refusal(faults.join('. '))
}

/** Serves the control API. It takes JSON alone, which pages of other sites cannot send. */
export const serveControl = async (server: FastifyInstance, control: Control) => {
  refuseOtherNames(server)
  refuseOtherSites(server)
  server.removeContentTypeParser('text/plain')
  server.setErrorHandler<Error & { statusCode?: number }>(async ({ statusCode = 500, message }, _request, reply) =>
    reply
      .code(statusCode)
      .type('application/problem+json')
      .send(JSON.stringify({ title: STATUS_CODES[statusCode], status: statusCode, detail: message }))
  )
  server.get('/', async () => ({ ...control.access, counts: control.counts }))
  server.post('/reset', async (_request, reply) => {
    await control.reset()
    return reply.code(204).send()
  })
  server.post('/messages', async ({ body }) => {
    const { conversationId, type, payload = {}, text } = parse(botMessage, body)
    return control.say(conversationId, { type, payload: text === undefined ? payload : { ...payload, text } })
  })
  server.get('/received', async ({ query }) => ({ received: await control.received(parse(wanted, query)) }))
  server.get('/deliveries', async ({ query }) => ({ deliveries: await control.deliveries(parse(wanted, query)) }))
  server.put('/faults', async ({ body }) => control.setFaults(parse(faultSettings, body)))
  server.delete('/faults', async () => control.setFaults())
}
