import type * as bp from '.botpress'
import { BotpressFailure } from '../botpress/botpress-failure'
import { type Caller, callerOf } from '../botpress/client'
import { withRetries } from '../botpress/with-retries'
import { bearerToken } from './bearer-token'
import { parseMessageRequest } from './message-request'
import { parseMessagesQuery } from './messages-query'
import { preferredWaitSeconds } from './preferences'
import { Problem } from './problem'
import { readMessages } from './read-messages'
import { receiveMessage } from './receive-message'
import { waitForReplies } from './wait-for-replies'

type Request = bp.HandlerProps['req']

/** What a request that succeeds is answered with. */
type Answer = { body: object; headers?: Record<string, string> }

/** Reads a request, and what it returns serves it: nothing is asked of Botpress for one that is at fault. */
type Route = (req: Request) => (caller: Caller) => Promise<Answer>

const postMessage: Route = ({ body, headers }) => {
  const incoming = parseMessageRequest(body)
  const waitSeconds = preferredWaitSeconds(headers['prefer'])
  return async (caller) => {
    const received = await withRetries(() => receiveMessage(caller, incoming))
    if (waitSeconds === undefined) return { body: received }
    const { conversationId } = incoming
    const options = { sent: received.message, conversationId, waitMs: waitSeconds * 1000 }
    const replies = await waitForReplies(caller.client, options)
    return { body: { ...received, replies }, headers: { 'preference-applied': `wait=${waitSeconds}` } }
  }
}

const getMessages: Route = ({ query }) => {
  const wanted = parseMessagesQuery(query)
  return async ({ client }) => ({ body: await withRetries(() => readMessages(client, wanted)) })
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
    const { body, headers } = await serve(caller)
    return { status: 200, headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) }
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
