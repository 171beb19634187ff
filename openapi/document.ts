import { STATUS_CODES } from 'node:http'
import type * as z from 'zod'
import packageJson from '../package.json'
import { USER_AGENT } from '../src/endpoint/post'
import { conversationQuery, userQuery } from '../src/webhook/routes/forget'
import { messagesQuery } from '../src/webhook/routes/read-messages'
import { EXAMPLES, PROBLEM_EXAMPLES } from './examples'
import { type Schema, schemaOf, schemaRef, schemas } from './schemas'

const json = (schema: object, example?: unknown) => ({
  'application/json': { schema, ...(example !== undefined && { example }) },
})

const header = (description: string, example: string) => ({ description, schema: { type: 'string' }, example })

type Status = keyof typeof PROBLEM_EXAMPLES

const problem = (status: Status, description: string, headers: Record<string, object> = {}) => ({
  description,
  headers,
  content: {
    'application/problem+json': {
      schema: schemaRef('Problem'),
      example: {
        title: STATUS_CODES[Number.parseInt(String(status), 10)],
        status: Number.parseInt(String(status), 10),
        ...PROBLEM_EXAMPLES[status],
      },
    },
  },
})

/** What both operations answer where something is wrong. */
const problems = {
  400: problem(400, 'A field at fault, or no JSON object; or Botpress refused the data.'),
  401: problem(401, 'No credential, or an unknown one.', {
    'WWW-Authenticate': header('The scheme that is asked for.', 'Bearer'),
  }),
  402: problem(402, 'From Botpress: a payment is required.'),
  403: problem(403, 'From Botpress: the token has no right to this bot, or a quota is exceeded.'),
  404: problem(404, 'Nothing is there.'),
  405: problem(405, 'Another method.', { Allow: header('The methods that there are.', 'POST') }),
  413: problem(413, 'From Botpress: too large.'),
  429: problem(429, 'From Botpress: a rate limit.', {
    'Retry-After': header('Seconds, where Botpress told them.', '30'),
  }),
  502: problem(502, 'Botpress failed or could not be reached. It is safe to send the same request again.'),
  504: problem(504, 'Botpress took too long. It is safe to send the same request again.'),
}

const queryParameters = (query: z.ZodType) => {
  const { properties, required = [] } = schemaOf(query) as {
    properties: Record<string, Schema>
    required?: string[]
  }
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    description,
    schema,
    example: EXAMPLES.query[name as keyof typeof EXAMPLES.query],
  }))
}

/** A request to forget something. */
const forget = (operationId: string, summary: string, description: string, query: z.ZodType) => ({
  operationId,
  tags: ['bot'],
  summary,
  description: `${description} What Botpress keeps elsewhere, as in its logs and tables, stays.`,
  parameters: queryParameters(query),
  responses: {
    204: { description: 'There is none, or no longer: it can be repeated.' },
    ...problems,
    400: problem('400 forgetting', 'A parameter at fault.'),
    405: problem('405 forgetting', 'Another method.', { Allow: header('The methods that there are.', 'DELETE') }),
  },
})

type HeaderParameter = readonly [name: string, required: boolean, description: string, example: string]

/** What every request to the endpoint has. */
const delivery = (schema: string, id: string, example: object, createdAt: HeaderParameter[] = []) => ({
  tags: ['endpoint'],
  security: [],
  parameters: (
    [
      ['webhook-id', true, 'The Botpress message id, the same in every try: drop what you have seen.', id],
      ['webhook-timestamp', true, 'When it was sent, in seconds since 1970.', '1795209458'],
      ...createdAt,
      [
        'webhook-signature',
        false,
        'With a Signing Secret, after https://www.standardwebhooks.com; two with a space between them while one is replaced.',
        'v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=',
      ],
      ['user-agent', true, 'The integration’s name and version.', USER_AGENT],
    ] satisfies HeaderParameter[]
  ).map(([parameter, required, description, value]) => ({
    name: parameter,
    in: 'header',
    required,
    description,
    schema: { type: 'string' },
    example: value,
  })),
  requestBody: { required: true, content: json(schemaRef(schema), example) },
  responses: { '2XX': { description: 'Taken. The body is thrown away.' } },
})

/** The API that a backend calls, and the requests that its endpoint gets. */
export const openApiDocument = {
  openapi: '3.1.0',
  info: {
    title: 'Messaging API for Botpress',
    version: packageJson.version,
    summary: 'Talk to a Botpress bot over plain HTTP.',
    description:
      'Send messages to the bot under your own ids, and get every message of the bot at your endpoint, in the answer, by fetching them, or by reading the conversation. What your endpoint has missed is delivered again.',
    contact: { name: 'The maintainers of Messaging API' },
    license: { name: packageJson.license, identifier: packageJson.license },
  },
  servers: [
    {
      url: 'http://{host}/webhook',
      description: 'The sandbox (npm start -- --key …)',
      variables: { host: { default: 'localhost:3000' } },
    },
    {
      url: 'https://webhook.botpress.cloud/{webhookId}',
      description: 'The webhook URL that the integration’s page shows',
      variables: { webhookId: { default: 'YOUR-WEBHOOK-ID' } },
    },
  ],
  tags: [
    { name: 'bot', description: 'What your backend asks of the bot.' },
    { name: 'endpoint', description: 'What your endpoint gets.' },
  ],
  security: [{ accessKey: [] }, { accessKeyHeader: [] }, { token: [] }],
  paths: {
    '/': {
      post: {
        operationId: 'sendMessage',
        tags: ['bot'],
        summary: 'Send a message to the bot',
        description:
          'The same `messageId` in the same conversation is one message, however often it is sent, so sending again is safe.',
        parameters: [
          {
            name: 'Prefer',
            in: 'header',
            description:
              'After RFC 7240: `wait=N` waits up to N seconds, at most 25, for the bot’s replies, and until none has followed for a second; with `replies=M` beside it, until M are there, however far apart.',
            schema: { type: 'string' },
            example: 'wait=10',
          },
        ],
        requestBody: {
          required: true,
          content: {
            ...json(schemaRef('MessageRequest'), EXAMPLES.request),
            'application/x-www-form-urlencoded': {
              schema: schemaRef('MessageRequest'),
              encoding: { payload: { contentType: 'application/json' }, user: { contentType: 'application/json' } },
              example: EXAMPLES.request,
            },
          },
        },
        responses: {
          200: {
            description: 'The message is in. The Botpress objects, and the replies where they were waited for.',
            headers: { 'Preference-Applied': header('The wait that was applied, where there was one.', 'wait=10') },
            content: json(schemaRef('Received'), EXAMPLES.received),
          },
          ...problems,
        },
      },
    },
    '/messages': {
      get: {
        operationId: 'readMessages',
        tags: ['bot'],
        summary: 'Read messages',
        description:
          'Those of a conversation, or those that have not reached your endpoint. Newest first, a page at a time. Creates nothing.',
        parameters: queryParameters(messagesQuery),
        responses: {
          200: { description: 'A page of messages.', content: json(schemaRef('Messages'), EXAMPLES.messages) },
          ...problems,
          400: problem('400 reading', 'A parameter at fault, or a page token that is not known.'),
          404: problem('404 reading', 'There is no such conversation.'),
          405: problem('405 reading', 'Another method.', { Allow: header('The methods that there are.', 'GET') }),
        },
      },
    },
    '/pull': {
      post: {
        operationId: 'pull',
        tags: ['bot'],
        summary: 'Fetch messages of the bot',
        description:
          'Where Pull is switched on, nothing is posted, and messages wait here. A message is given out until a request names it in `taken`: so none is lost, whenever your backend or the connection breaks down. One request after the other, each with what the one before brought.',
        parameters: [
          {
            name: 'Prefer',
            in: 'header',
            description: 'After RFC 7240: `wait=N` waits up to N seconds, at most 25, until there is a message.',
            schema: { type: 'string' },
            example: 'wait=25',
          },
        ],
        requestBody: { required: false, content: json(schemaRef('PullRequest'), EXAMPLES.pull) },
        responses: {
          200: {
            description: 'What waits.',
            headers: { 'Preference-Applied': header('The wait that was applied, where there was one.', 'wait=25') },
            content: json(schemaRef('Pulled'), EXAMPLES.pulled),
          },
          ...problems,
          400: problem('400 pulling', 'A field at fault, or no JSON object.'),
          404: problem('404 reading', 'There is no such conversation.'),
        },
      },
    },
    '/redeliveries': {
      post: {
        operationId: 'redeliver',
        tags: ['bot'],
        summary: 'Deliver again what your endpoint has missed',
        description:
          'Goes conversation by conversation, in each from the oldest message to the newest, with one try each. It answers within 45 s. While `more` is true and something was delivered, ask again. Messages arrive at your endpoint while the request is under way. Only one redelivery is at work at a time: if another is, the answer has `more` and a `reason` that says so.',
        requestBody: { required: false, content: json(schemaRef('RedeliveryRequest'), EXAMPLES.redelivery) },
        responses: {
          200: {
            description: 'How it went.',
            content: json(schemaRef('Redelivered'), EXAMPLES.redelivered),
          },
          ...problems,
          400: problem('400 redelivering', 'A field at fault, or no JSON object.'),
          404: problem('404 reading', 'There is no such conversation.'),
          409: problem(409, 'The configuration names no endpoint that messages could go to, or Pull is switched on.'),
        },
      },
    },
    '/events': {
      post: {
        operationId: 'sendEvent',
        tags: ['bot'],
        summary: 'Tell the bot of an event',
        description:
          'Of what is no message of a user: an order was paid, a call has ended, a human hands the conversation back. The bot gets a Custom Event, may start a workflow with it, and may write first.',
        requestBody: {
          required: true,
          content: {
            ...json(schemaRef('EventRequest'), EXAMPLES.event),
            'application/x-www-form-urlencoded': {
              schema: schemaRef('EventRequest'),
              encoding: { payload: { contentType: 'application/json' } },
              example: EXAMPLES.event,
            },
          },
        },
        responses: {
          200: {
            description: 'The bot has the event. The Botpress objects.',
            content: json(schemaRef('Told'), EXAMPLES.told),
          },
          ...problems,
          502: problem('502 telling', 'Botpress failed or could not be reached, and may have taken the event.'),
        },
      },
    },
    '/conversations': {
      delete: forget(
        'forgetConversation',
        'Delete a conversation',
        'Deletes a conversation with its messages.',
        conversationQuery
      ),
    },
    '/users': {
      delete: forget(
        'forgetUser',
        'Delete a user',
        'Deletes a user. The user’s messages go with their conversations.',
        userQuery
      ),
    },
  },
  webhooks: {
    botMessage: {
      post: {
        operationId: 'receiveBotMessage',
        summary: 'A message of the bot, at your endpoint',
        description:
          'Has the Endpoint Header of the configuration too, where there is one. Answer any 2xx at once, before you do the work. Other answers than 408, 425, 429 and 5xx are final, and so is what may have arrived: no answer within 30 s, 504, 524, and a 5xx that comes after 10 s. 307 and 308 are followed at the same host. What has failed is delivered again when your endpoint takes messages; what may have arrived, only on request.',
        ...delivery('OutgoingMessage', EXAMPLES.outgoing.botpressMessageId, EXAMPLES.outgoing, [
          ['botpress-created-at', true, 'When the bot made the message: puts messages in order.', EXAMPLES.createdAt],
        ]),
      },
    },
    registrationTest: {
      post: {
        operationId: 'receiveRegistrationTest',
        summary: 'The test when the configuration is saved',
        description: 'Answer 2xx within 20 s, and skip it.',
        ...delivery('TestMessage', 'test', EXAMPLES.registrationTest),
      },
    },
  },
  components: {
    securitySchemes: {
      accessKey: { type: 'http', scheme: 'bearer', description: 'The Access Key of the configuration.' },
      accessKeyHeader: {
        type: 'apiKey',
        in: 'header',
        name: 'x-bp-secret',
        description: 'The Access Key of the configuration, in the header of Botpress’s own webhook integration.',
      },
      token: {
        type: 'http',
        scheme: 'bearer',
        description:
          'A Botpress Personal Access Token, of backends that were written for v0.2.3: it opens a whole account.',
      },
    },
    schemas,
  },
}

/** The document as the file holds it. */
export const openApiJson = `${JSON.stringify(openApiDocument, null, 2)}\n`
