import * as z from 'zod'
import { deleteConversation, deleteUser } from '../../botpress/directory'
import { withRetries } from '../../botpress/with-retries'
import { parseParameters } from '../request/parameters'
import { externalId, parseFields } from '../request/request-fields'
import type { Route } from './route'

/** The query of a request to forget a conversation. */
export const conversationQuery = z.object({ conversationId: externalId().describe('Your id of the conversation.') })

/** The query of a request to forget a user. */
export const userQuery = z.object({ userId: externalId().describe('Your id of the user.') })

/** `DELETE /conversations`: deletes a conversation with its messages. */
export const forgetConversation: Route = async (caller, { req }) => {
  const query = parseParameters(req.query, ['conversationId'], 'query')
  const { conversationId } = parseFields(conversationQuery, query)
  await withRetries(() => deleteConversation(caller, conversationId))
  return {}
}

/** `DELETE /users`: deletes a user. */
export const forgetUser: Route = async (caller, { req }) => {
  const { userId } = parseFields(userQuery, parseParameters(req.query, ['userId'], 'query'))
  await withRetries(() => deleteUser(caller, userId))
  return {}
}
