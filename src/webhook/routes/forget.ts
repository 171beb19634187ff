import * as z from 'zod'
import { deleteConversation, deleteUser } from '../../botpress/directory'
import { withRetries } from '../../botpress/with-retries'
import { parseParameters } from '../request/parameters'
import { externalId, type Fields, parseFields } from '../request/request-fields'
import type { Route } from './route'

/** The query of a request to forget a conversation. */
export const conversationQuery = z.object({ conversationId: externalId().describe('Your id of the conversation.') })

/** The query of a request to forget a user. */
export const userQuery = z.object({ userId: externalId().describe('Your id of the user.') })

/** A plus that was not encoded, as in a telephone number, has become a space: another id would be deleted, or none. */
const LOST_PLUS = /(?:^|[^\p{L}\p{N}]) \d/u

const parametersOf = (query: string): Fields => {
  const { fields, place, errors = [] } = parseParameters(query, 'query')
  const message = 'has a + before a digit: write %2B for a plus, %20 for a space'
  const lost = Object.entries(fields).filter(([, id]) => query.includes('+') && LOST_PLUS.test(String(id)))
  return { fields, place, errors: [...errors, ...lost.map(([path]) => ({ path, message }))] }
}

/** `DELETE /conversations`: deletes a conversation with its messages. */
export const forgetConversation: Route = async (caller, { req }) => {
  const { conversationId } = parseFields(conversationQuery, parametersOf(req.query))
  await withRetries(() => deleteConversation(caller, conversationId))
  return {}
}

/** `DELETE /users`: deletes a user. */
export const forgetUser: Route = async (caller, { req }) => {
  const { userId } = parseFields(userQuery, parametersOf(req.query))
  await withRetries(() => deleteUser(caller, userId))
  return {}
}
