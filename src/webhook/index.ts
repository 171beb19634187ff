import type * as bp from '.botpress'
import type { Caller } from '../botpress/caller'
import { MIN_KEY_LENGTH } from '../configuration'
import { wellFormedJson } from '../messages/well-formed-json'
import { authenticate } from './authentication'
import { Problem, problemOf } from './problem'
import { forgetConversation, forgetUser } from './routes/forget'
import { pullMessages } from './routes/pull-messages'
import { readMessages } from './routes/read-messages'
import { redeliverMessages } from './routes/redeliver-messages'
import type { Route } from './routes/route'
import { sendEvent } from './routes/send-event'
import { sendMessage } from './routes/send-message'

/** Each path, with its method. */
const routes = new Map<string, [method: string, route: Route]>([
  ['/', ['POST', sendMessage]],
  ['/pull', ['POST', pullMessages]],
  ['/messages', ['GET', readMessages]],
  ['/redeliveries', ['POST', redeliverMessages]],
  ['/events', ['POST', sendEvent]],
  ['/conversations', ['DELETE', forgetConversation]],
  ['/users', ['DELETE', forgetUser]],
])

/** Answers a request of the backend. */
export const handler: bp.IntegrationProps['handler'] = async (props) => {
  let caller: Caller | undefined
  try {
    const route = findRoute(props.req)
    caller = authenticate(props)
    const { body, headers } = await route(caller, props)
    if (!body) return { status: 204, headers }
    return { status: 200, headers: { ...headers, 'content-type': 'application/json' }, body: wellFormedJson(body) }
  } catch (thrown) {
    return problemOf(thrown, caller?.tokenOwner).toResponse()
  }
}

const findRoute = ({ method, path }: bp.HandlerProps['req']): Route => {
  // Backends put URLs together from parts, and get more slashes than one.
  const found = routes.get(`/${path.split('/').filter(Boolean).join('/')}`)
  if (!found) {
    // A longer one may hold an access key by mistake.
    const where = path.length < MIN_KEY_LENGTH ? path : 'this path'
    throw new Problem(
      404,
      `There is nothing at ${where} of this webhook. Its paths are ${[...routes.keys()].join(', ')}.`
    )
  }
  const [allow, route] = found
  if (method.toUpperCase() !== allow)
    throw new Problem(405, `The method ${method} is not known here. Use ${allow}.`, { headers: { allow } })
  return route
}
