import type * as bp from '.botpress'
import { bearerToken } from './bearer-token'
import { BotpressFailure, type Caller, callerOf } from './caller'
import { parseMessageRequest } from './message-request'
import { parseMessagesQuery } from './messages-query'
import { Problem } from './problem'
import { readMessages } from './read-messages'
import { receiveMessage } from './receive-message'
import { withRetries } from './with-retries'

type Request = bp.HandlerProps['req']

/** Reads a request; what it returns serves it, and may be called again. */
type Route = (req: Request) => (caller: Caller) => Promise<object>

const postMessage: Route = ({ body }) => {
  const incoming = parseMessageRequest(body)
  return (caller) => receiveMessage(caller, incoming)
}

const getMessages: Route = ({ query }) => {
  const wanted = parseMessagesQuery(query)
  return ({ client }) => readMessages(client, wanted)
}

const routes = new Map([
  ['/', new Map([['POST', postMessage]])],
  ['/messages', new Map([['GET', getMessages]])],
])

/** Answers a request of the backend. Every error becomes an answer here, and nowhere else. */
export const handler: bp.IntegrationProps['handler'] = async ({ req, ctx }) => {
  try {
    const route = routeOf(req)
    const token = bearerToken(req.headers['authorization'])
    if (!token) throw unauthorized('The request has no Bearer token.')
    const serve = route(req)
    const caller = callerOf({ token, botId: ctx.botId, integrationId: ctx.integrationId })
    const answer = await withRetries(() => serve(caller))
    return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(answer) }
  } catch (thrown) {
    return problemOf(thrown).toResponse()
  }
}

const routeOf = ({ method, path }: Request): Route => {
  const methods = routes.get(path || '/')
  if (!methods) {
    throw new Problem(404, `There is nothing at ${path} of this webhook.`)
  }
  const route = methods.get(method.toUpperCase())
  if (!route) {
    const allow = [...methods.keys()].join(', ')
    throw new Problem(405, `The method ${method} is not known here. Use ${allow}.`, { headers: { allow } })
  }
  return route
}

const problemOf = (thrown: unknown): Problem => {
  if (thrown instanceof Problem) return thrown
  const failure = BotpressFailure.in(thrown)
  if (!failure) {
    console.error(thrown instanceof Error ? thrown.stack : thrown)
    return new Problem(502, `The integration failed unexpectedly. ${SEND_AGAIN}`)
  }
  const { reason } = failure
  const { status, retryAfter, timedOut } = failure.more
  switch (status) {
    case 401:
      return unauthorized('Botpress does not know the token.')
    case 400:
    case 402:
    case 403:
    case 413:
    case 429:
      return new Problem(status, `Botpress refused the request: ${reason}`, {
        headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter },
      })
    default:
      return timedOut || status === 504
        ? new Problem(504, `Botpress took too long. ${SEND_AGAIN}`)
        : new Problem(502, `Botpress failed: ${reason}. ${SEND_AGAIN}`)
  }
}

const SEND_AGAIN = 'It is safe to send the same request again, with the same messageId.'

const unauthorized = (reason: string): Problem =>
  new Problem(401, `${reason} Send "Authorization: Bearer {token}" with a Botpress Personal Access Token.`, {
    headers: { 'www-authenticate': 'Bearer' },
  })
