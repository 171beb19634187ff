import type { Client, Conversation, Event, User } from '@botpress/client'
import * as z from 'zod'
import { BotpressFailure, unlessMissing } from '../../botpress/botpress-failure'
import type { Caller } from '../../botpress/caller'
import { evenIfDeleted, getOrCreateConversation, getOrCreateUser } from '../../botpress/directory'
import { Verbatim } from '../../botpress/verbatim'
import { withRetries } from '../../botpress/with-retries'
import { BOTPRESS_MS } from '../../time-limits'
import { Problem } from '../problem'
import { parseFormOrJson } from '../request/form-body'
import type { Body } from '../request/json-body'
import { payloadField, presentPayload } from '../request/payload'
import { externalId, parseFields, textField } from '../request/request-fields'
import type { Route } from './route'

/** The body of a request that tells the bot of an event. */
export const eventRequest = z.object({
  conversationId: externalId().describe('Your id of the conversation that it belongs to. It is created if missing.'),
  userId: externalId().optional().describe('Your id of the user. It is created if missing.'),
  type: textField(200).describe('The name of the event, such as `order_paid`.'),
  payload: payloadField()
    .optional()
    .describe('Anything that the bot should know. If it is missing, `null`, `""` or `[]`, the bot gets `{}`.'),
  eventId: externalId()
    .optional()
    .describe('Guards against repeats: one of the conversation’s last 20 events that has it is answered.'),
})

type EventRequest = z.output<typeof eventRequest>

/** `POST /events`: tells the bot of something that is no message of a user. */
export const sendEvent: Route = async (caller, { req }) => {
  const told = parseEventRequest(req)
  const deadline = Date.now() + BOTPRESS_MS
  const limits = () => ({ limitMs: Math.max(deadline - Date.now(), 0) })
  const body = await evenIfDeleted(caller, told, async () => {
    const place = await withRetries(() => findOrPrepare(caller, told), limits())
    return { event: place.event ?? (await createEvent(caller.client, place, told, limits())), ...place }
  })
  return { body }
}

const parseEventRequest = (req: Body): EventRequest => {
  const given = parseFormOrJson(req, ['payload'])
  const fields = { ...given.fields, payload: presentPayload(given.fields['payload']) }
  return parseFields(eventRequest, { ...given, fields })
}

type Place = { conversation: Conversation; user?: User; event?: Event }

/** The event, if it is known, with its conversation and user; or these alone, created if missing. */
const findOrPrepare = async (caller: Caller, told: EventRequest): Promise<Place> => {
  const { conversationId, userId, eventId } = told
  const conversation = await getOrCreateConversation(caller, conversationId)
  const event = eventId === undefined ? undefined : await findEvent(caller.client, conversation, told)
  // A repeat makes no user: that of the event may have been forgotten.
  if (event) return { event, conversation, user: await userOf(caller.client, event) }
  return { conversation, user: userId === undefined ? undefined : await getOrCreateUser(caller, userId) }
}

const userOf = async (client: Client, { userId }: Event): Promise<User | undefined> => {
  if (userId === undefined) return undefined
  return (await client.getUser({ id: userId }).catch(unlessMissing))?.user
}

/** One of the conversation's newest events that has the same id. */
const findEvent = async (
  client: Client,
  conversation: Conversation,
  { conversationId, eventId }: EventRequest
): Promise<Event | undefined> => {
  const { events } = await client.listEvents({ conversationId: conversation.id })
  // Events of others may have an eventId of another meaning.
  return events.find(({ payload }) => payload['eventId'] === eventId && payload['conversationId'] === conversationId)
}

/** @throws Problem 502 if Botpress may have taken the event; what the client throws if it surely has not */
const createEvent = async (
  client: Client,
  { conversation, user }: Place,
  { conversationId, userId, type, payload = {}, eventId }: EventRequest,
  limits: { limitMs: number }
): Promise<Event> => {
  const create = async () => {
    const { event } = await client.createEvent({
      type: 'custom',
      payload: new Verbatim({ type, payload, conversationId, userId, eventId }),
      conversationId: conversation.id,
      userId: user?.id,
    })
    if (!event) throw new BotpressFailure('an answer without an event')
    return event
  }
  const mayRepeat = ({ isTemporary, leavesOpen }: BotpressFailure) => isTemporary && !leavesOpen
  try {
    return await withRetries(create, { ...limits, mayRepeat })
  } catch (thrown) {
    const failure = BotpressFailure.in(thrown)
    if (!failure?.leavesOpen) throw thrown
    const advice =
      eventId === undefined
        ? 'Sent again, it may come twice; an eventId prevents that'
        : 'Send it again with its eventId'
    throw new Problem(502, `Botpress failed, and may have taken the event: ${failure.reason}. ${advice}.`)
  }
}
