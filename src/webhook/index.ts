import type * as bp from '.botpress'
import { BotpressFailure } from '../botpress/botpress-failure'
import type { Caller } from '../botpress/client'
import { withRetries } from '../botpress/with-retries'
import { MIN_KEY_LENGTH } from '../configuration'
import { wellFormedJson } from '../messages/well-formed-json'
import { CALL_MS } from '../outbox/deliver-or-mark'
import { MIN_TIME_MS, redeliver } from '../redelivery/redeliver'
import { authenticate, unauthorized } from './authentication'
import { parseJsonBody } from './request/json-body'
import { parseMessageRequest } from './request/message-request'
import { parseMessagesQuery } from './request/messages-query'
import { appliedPreference, waitPreference } from './request/preferences'
import { parseRedeliveryRequest } from './request/redelivery-request'
import { findConversation } from './find-conversation'
import { Problem } from './problem'
import { readMessages } from './routes/read-messages'
import { receiveMessage } from './routes/send-message'
import { waitForReplies } from './wait-for-replies'

type Request = bp.HandlerProps['req']

/** What a request that succeeds is answered with. */
type Answer = { body: object; headers?: Record<string, string> }

/** Reads a request, and what it returns serves it: nothing is asked of Botpress for one that is at fault. */
type Route = (req: Request) => (caller: Caller, props: bp.HandlerProps) => Promise<Answer>

const postMessage: Route = (req) => {
  const incoming = parseMessageRequest(req)
  const wait = waitPreference(req.headers['prefer'])
  return async (caller) => {
    const received = await withRetries(() => receiveMessage(caller, incoming))
    if (!wait) return { body: received }
    const replies = await waitForReplies(caller.client, {
      sent: received.message,
      conversationId: incoming.conversationId,
      waitMs: wait.waitSeconds * 1000,
      enough: wait.replies,
    })
    return { body: { ...received, replies }, headers: { 'preference-applied': appliedPreference(wait) } }
  }
}

const getMessages: Route = ({ query }) => {
  const wanted = parseMessagesQuery(query)
  return async (caller) => ({ body: await withRetries(() => readMessages(caller, wanted)) })
}

const postRedeliveries: Route = (req) => {
  const { conversationId, delivery } = parseRedeliveryRequest(req.body?.trim() ? parseJsonBody(req) : {})
  return async (caller, props) => {
    const deadline = Date.now() + CALL_MS
    const conversation =
      conversationId === undefined
        ? undefined
        : await withRetries(() => findConversation(caller.client, conversationId), { limitMs: CALL_MS - MIN_TIME_MS })
    const body = await redeliver(caller, props, { mark: delivery, conversationId: conversation?.id, deadline })
    return { body }
  }
}

const routes = new Map([
  ['/', new Map([['POST', postMessage]])],
  ['/messages', new Map([['GET', getMessages]])],
  ['/redeliveries', new Map([['POST', postRedeliveries]])],
])

/** Answers a request of the backend. Every error becomes an answer here, and nowhere else. */
export const handler: bp.IntegrationProps['handler'] = async (props) => {
  const { req, ctx } = props
  let caller: Caller | undefined
  try {
    const route = routeOf(req)
    caller = authenticate({ req, ctx })
    const { body, headers } = await route(req)(caller, props)
    return { status: 200, headers: { ...headers, 'content-type': 'application/json' }, body: wellFormedJson(body) }
  } catch (thrown) {
    return problemOf(thrown, caller?.tokenOwner).toResponse()
  }
}

const routeOf = ({ method, path }: Request): Route => {
  // URLs are put together from parts that end or begin with a slash.
  const methods = routes.get(`/${path.split('/').filter(Boolean).join('/')}`)
  if (!methods) {
    const paths = [...routes.keys()].join(', ')
    // A longer one may hold an access key, by mistake.
    const where = path.length < MIN_KEY_LENGTH ? path : 'this path'
    throw new Problem(404, `There is nothing at ${where} of this webhook. Its paths are ${paths}.`)
  }
  const route = methods.get(method.toUpperCase())
  if (!route) {
    const allow = [...methods.keys()].join(', ')
    throw new Problem(405, `The method ${method} is not known here. Use ${allow}.`, { headers: { allow } })
  }
  return route
}

const problemOf = (thrown: unknown, tokenOwner?: Caller['tokenOwner']): Problem => {
  if (thrown instanceof Problem) return thrown
  const failure = BotpressFailure.in(thrown)
  if (!failure) {
    console.error(thrown instanceof Error ? thrown.stack : thrown)
    return new Problem(502, `The integration failed unexpectedly. ${SEND_AGAIN}`)
  }
  const { reason, isTemporary } = failure
  const { status, retryAfterMs, timedOut } = failure.more
  const headers =
    retryAfterMs === undefined
      ? undefined
      : { 'retry-after': String(Math.min(Math.ceil(retryAfterMs / 1000), DAY_SECONDS)) }
  switch (status) {
    case 401:
      return tokenOwner === 'integration'
        ? new Problem(502, `Botpress refused the integration’s own token. ${SEND_AGAIN}`)
        : unauthorized('Botpress does not know the token.')
    case 400:
    case 402:
    case 403:
    case 413:
    case 429:
      return new Problem(status, `Botpress refused the request: ${reason}`, { headers })
  }
  if (timedOut || status === 504) return new Problem(504, `Botpress took too long. ${SEND_AGAIN}`, { headers })
  if (isTemporary || status! >= 500) return new Problem(502, `Botpress failed: ${reason}. ${SEND_AGAIN}`, { headers })
  return new Problem(502, `Botpress answered ${status}: ${reason}. The same request would fare the same.`)
}

/** More than that nobody waits, and what Botpress tells may be no number of seconds at all. */
const DAY_SECONDS = 24 * 60 * 60

const SEND_AGAIN = 'It is safe to send the same request again, with the same messageId.'
