import { state } from '@botpress/api'
import * as z from 'zod'
import { messageRequest } from '../src/webhook/request/message-request'
import { pullRequest } from '../src/webhook/routes/pull-messages'
import { redeliveryRequest } from '../src/webhook/routes/redeliver-messages'
import { eventRequest } from '../src/webhook/routes/send-event'

/** A JSON Schema. */
export type Schema = Record<string, unknown>

/** The JSON Schema of what a zod schema takes, as OpenAPI 3.1 has it. */
export const schemaOf = (schema: z.ZodType): Schema => {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  return rest
}

/** Stands for one of `schemas`. */
export const schemaRef = (name: string) => ({ $ref: `#/components/schemas/${name}` })

/** Botpress's own description of one of its objects, without the links of its documentation, and in OpenAPI 3.1. */
const vendorSchema = (name: 'Message' | 'User' | 'Conversation' | 'Event'): Schema =>
  JSON.parse(JSON.stringify(state.schemas[name].schema).replaceAll(/\[([^\]]+)\]\([^)]+\)/g, '$1'), (key, value) => {
    // Newer clouds add fields.
    if (key === 'additionalProperties' && value === false) return undefined
    if (value?.nullable !== true) return value
    const { nullable: _, type, ...rest } = value
    return { type: [type, 'null'], ...rest }
  })

const outgoingFields = {
  type: {
    type: 'string',
    description:
      'The type of the message, as the bot sent it; with Plain Text it is `text`, where the message can be written so.',
  },
  payload: {
    type: 'object',
    additionalProperties: true,
    description: 'As the bot sent it; with Plain Text `{ text }`.',
  },
  conversationId: { type: 'string', description: 'Your id of the conversation.' },
  botpressUserId: { type: 'string', description: 'The Botpress id of the message’s author.' },
  botpressMessageId: { type: 'string' },
  botpressConversationId: { type: 'string' },
}

const object = (properties: Schema, optional: string[] = [], description?: string): Schema => ({
  type: 'object',
  ...(description && { description }),
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  additionalProperties: false,
})

/** What goes over the wire, by the names that the document has for it. */
export const schemas = {
  MessageRequest: schemaOf(messageRequest),
  OutgoingMessage: object(outgoingFields, [], 'A message of the bot.'),
  TestMessage: object(
    { type: { type: 'string', const: 'test' }, payload: { type: 'string', const: 'test' } },
    [],
    'The test of the registration, the same as v0.2.3’s.'
  ),
  ReadMessage: object(
    {
      ...outgoingFields,
      direction: { type: 'string', enum: ['incoming', 'outgoing'], description: '`outgoing` is what the bot sent.' },
      createdAt: { type: 'string', format: 'date-time' },
      messageId: { type: 'string', description: 'Your id of the message, if it has one.' },
      delivery: {
        type: 'string',
        enum: ['failed', 'unknown', 'waiting'],
        description:
          '`failed` if it has not reached your endpoint, `unknown` if it may have, `waiting` if it is to be fetched.',
      },
    },
    ['messageId', 'delivery'],
    'A message of a conversation.'
  ),
  Received: object(
    {
      message: schemaRef('Message'),
      user: schemaRef('User'),
      conversation: schemaRef('Conversation'),
      replies: {
        type: 'array',
        items: schemaRef('OutgoingMessage'),
        description: 'With `Prefer: wait`: the bot’s messages since the one that was sent, oldest first.',
      },
    },
    ['replies']
  ),
  Messages: object({
    messages: { type: 'array', items: schemaRef('ReadMessage'), description: 'Newest first.' },
    meta: object({ nextToken: { type: 'string', description: 'Asks for the next page.' } }, ['nextToken']),
  }),
  PullRequest: schemaOf(pullRequest),
  Pulled: object({
    messages: {
      type: 'array',
      items: object({ ...outgoingFields, createdAt: { type: 'string', format: 'date-time' } }),
      description: 'In each conversation the oldest first.',
    },
    more: { type: 'boolean', description: 'Whether others wait.' },
  }),
  RedeliveryRequest: schemaOf(redeliveryRequest),
  Redelivered: object(
    {
      delivered: { type: 'integer', minimum: 0 },
      undelivered: { type: 'integer', minimum: 0, description: 'Messages that were tried and failed.' },
      more: { type: 'boolean', description: 'Whether others wait.' },
      reason: { type: 'string', description: 'The last failure, if there was one.' },
    },
    ['reason']
  ),
  EventRequest: schemaOf(eventRequest),
  Told: object({ event: schemaRef('Event'), conversation: schemaRef('Conversation'), user: schemaRef('User') }, [
    'user',
  ]),
  Problem: object(
    {
      title: { type: 'string', description: 'The status in words.' },
      status: { type: 'integer' },
      detail: { type: 'string', description: 'What happened, and what to do.' },
      errors: {
        type: 'array',
        items: object({ path: { type: 'string' }, message: { type: 'string' } }),
        description: 'Every wrong field.',
      },
    },
    ['errors'],
    'An error, after RFC 9457.'
  ),
  Message: vendorSchema('Message'),
  User: vendorSchema('User'),
  Conversation: vendorSchema('Conversation'),
  Event: vendorSchema('Event'),
}
