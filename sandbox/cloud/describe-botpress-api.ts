import { state } from '@botpress/api'

/** What an integration chats with. */
const OPERATIONS = [
  'createConversation',
  'getConversation',
  'getOrCreateConversation',
  'listConversations',
  'updateConversation',
  'deleteConversation',
  'createUser',
  'getUser',
  'getOrCreateUser',
  'listUsers',
  'updateUser',
  'deleteUser',
  'createMessage',
  'getMessage',
  'getOrCreateMessage',
  'listMessages',
  'updateMessage',
  'deleteMessage',
  'createEvent',
  'getEvent',
  'listEvents',
  'getState',
  'getOrSetState',
  'setState',
] as const

/** What of Botpress's own description of its API the sandbox needs: the whole takes a second to load. */
export const botpressApiJson = (): string => {
  const operations = OPERATIONS.map((name) => {
    const { method, path, parameters, response, ...more } = state.operations[name]
    return [
      name,
      {
        method,
        path,
        parameters,
        status: ('status' in response && response.status) || 200,
        ...('requestBody' in more && { body: more.requestBody.schema }),
      },
    ]
  })
  const statuses = state.errors.map(({ type, status }) => [type, status])
  const described = { operations: Object.fromEntries(operations), statuses: Object.fromEntries(statuses) }
  return `${JSON.stringify(described, null, 2)}\n`
}
