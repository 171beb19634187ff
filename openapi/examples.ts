const conversationId = 'conv_01M7XD4WV875SH0DFR0G4W7NY3'
const userId = 'user_01M7XD4WV8SK64CQFX7YJ66CH9'
const botUserId = 'user_01M7XD4318Z7E3JDNK2YC0T3RK'
const createdAt = '2026-11-20T21:17:38.536Z'

const request = { userId: 'ada', conversationId: 'tea', messageId: '1', type: 'text', text: 'Hello' }

const outgoing = {
  type: 'text',
  payload: { text: 'You said: Hello' },
  conversationId: 'tea',
  botpressUserId: botUserId,
  botpressMessageId: 'msg_01M7XD4WW0N97346DDNRXQS6GQ',
  botpressConversationId: conversationId,
}

const message = {
  id: 'msg_01M7XD4WVQHJRE26F8MW7GXS06',
  createdAt: '2026-11-20T21:17:38.551Z',
  type: 'text',
  payload: { text: 'Hello' },
  direction: 'incoming',
  userId,
  conversationId,
  tags: { id: '1', conversationId },
}

const conversation = {
  id: conversationId,
  createdAt,
  updatedAt: createdAt,
  channel: 'channel',
  integration: 'messaging-api',
  tags: { id: 'tea' },
}

const user = { id: userId, createdAt, updatedAt: createdAt, tags: { id: 'ada' } }

const event = {
  conversationId: 'tea',
  userId: 'ada',
  type: 'order_paid',
  payload: { order: 42 },
  eventId: 'order-42-paid',
}

/** What the sandbox's demo bot and the integration said to each other. */
export const EXAMPLES = {
  request,
  outgoing,
  createdAt: '2026-11-20T21:17:38.560Z',
  pull: { taken: [outgoing.botpressMessageId], limit: 20 },
  pulled: { messages: [{ ...outgoing, createdAt: '2026-11-20T21:17:38.560Z' }], more: false },
  redelivery: { delivery: 'failed' },
  redelivered: {
    delivered: 12,
    undelivered: 1,
    more: false,
    reason:
      'The message msg_01M7XD4WW0N97346DDNRXQS6GQ was not delivered in 1 try: example.com answered 413. Let the endpoint take larger bodies: this one has 120000 bytes.',
  },
  received: {
    message,
    user,
    conversation,
    replies: [outgoing],
  },
  messages: {
    messages: [
      { ...outgoing, direction: 'outgoing', createdAt: '2026-11-20T21:17:38.560Z' },
      {
        type: 'text',
        payload: { text: 'Hello' },
        conversationId: 'tea',
        botpressUserId: userId,
        botpressMessageId: message.id,
        botpressConversationId: conversationId,
        direction: 'incoming',
        createdAt: message.createdAt,
        messageId: '1',
      },
    ],
    meta: {},
  },
  event,
  told: {
    event: {
      id: 'evt_01M7XD4X0S6A2Y5QZ1R8J4M3TB',
      createdAt: '2026-11-20T21:17:39.021Z',
      type: 'custom',
      payload: event,
      conversationId,
      userId,
      status: 'pending',
      failureReason: null,
    },
    conversation,
    user,
  },
  query: { conversationId: 'tea', userId: 'ada', delivery: 'failed', nextToken: '' },
  registrationTest: { type: 'test', payload: 'test' },
}

const SEND_AGAIN = 'It is safe to send the same request again; a message with the same messageId.'

/** What the integration answers where something is wrong, by status. */
export const PROBLEM_EXAMPLES = {
  400: {
    detail: 'Wrong in the body: userId, text.',
    errors: [
      { path: 'userId', message: 'is required: a string of 1 to 500 characters' },
      {
        path: 'text',
        message: 'is required, a string of at least 1 character, if type is "text" or the payload has no field',
      },
    ],
  },
  401: {
    detail:
      'Botpress does not know the token. Send the Access Key of the integration’s configuration, as "Authorization: Bearer {key}" or "x-bp-secret: {key}", or a Botpress Personal Access Token, as "Authorization: Bearer {token}".',
  },
  402: { detail: 'Botpress refused the request: A payment is required to perform this request.' },
  403: { detail: 'Botpress refused the request: You don’t have permissions to perform this action.' },
  '400 reading': {
    detail: 'Wrong in the query: conversationId.',
    errors: [
      { path: 'conversationId', message: 'is required, a string of 1 to 500 characters, unless delivery is given' },
    ],
  },
  404: {
    detail:
      'There is nothing at /message of this webhook. Its paths are /, /pull, /messages, /redeliveries, /events, /conversations, /users.',
  },
  '400 pulling': {
    detail: 'Wrong in the body: limit.',
    errors: [{ path: 'limit', message: 'must be a whole number from 1 to 100' }],
  },
  '400 redelivering': {
    detail: 'Wrong in the body: delivery.',
    errors: [{ path: 'delivery', message: 'must be "failed", "unknown" or "waiting"' }],
  },
  '400 forgetting': {
    detail: 'Wrong in the query: userId.',
    errors: [{ path: 'userId', message: 'is required: a string of 1 to 500 characters' }],
  },
  '405 forgetting': { detail: 'The method GET is not known here. Use DELETE.' },
  '502 telling': {
    detail:
      'Botpress failed, and may have taken the event: socket hang up (ECONNRESET). Send it again with its eventId.',
  },
  '404 reading': { detail: 'There is no conversation with the conversationId "tea".' },
  '405 reading': { detail: 'The method POST is not known here. Use GET.' },
  405: { detail: 'The method GET is not known here. Use POST.' },
  409: {
    detail:
      'The Response Endpoint URL is not set. Set it in the integration’s configuration to the address of your endpoint, such as https://example.com/bot. Or switch on Pull, and fetch the messages: then no address is needed.',
  },
  413: { detail: 'Botpress refused the request: The request payload is too large.' },
  429: { detail: 'Botpress refused the request: The request has been rate limited.' },
  502: { detail: `Botpress failed: connect ECONNREFUSED (ECONNREFUSED). ${SEND_AGAIN}` },
  504: { detail: `Botpress took too long. ${SEND_AGAIN}` },
}
