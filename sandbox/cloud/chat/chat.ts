import type { ClientInputs, ClientOutputs, Conversation, Event, Message, User } from '@botpress/client'
import { ApiError } from './api-error'
import { Collection } from './collection'

/** The part of Botpress's API that an integration chats with. */
export const CHAT_OPERATIONS = [
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
] as const

export type ChatOperation = (typeof CHAT_OPERATIONS)[number]

type ChatOperations = { [Name in ChatOperation]: (input: ClientInputs[Name]) => ClientOutputs[Name] }

type Tags = Record<string, string>

export type ChatProps = {
  integrationName: string
  /** The names of the channels that the integration has. */
  channels: string[]
  /** The tags that the integration declares: others are refused. */
  declaredTags: Record<'conversation' | 'user' | 'message', string[]>
  /** Told of each message once it is in. */
  onMessage: (message: Message) => void
}

/** The conversations, users, messages and events of one bot, kept in memory. Each operation is atomic. */
export class Chat {
  readonly conversations = new Collection<Conversation>('Conversation', 'conv')
  readonly users = new Collection<User>('User', 'user')
  readonly messages = new Collection<Message>('Message', 'msg')
  readonly events = new Collection<Event>('Event', 'evt')

  constructor(private readonly props: ChatProps) {}

  /** The operations as an integration calls them: the messages that it creates are incoming. */
  readonly operations: ChatOperations = {
    createConversation: (input) => ({ conversation: this.createConversation(input) }),
    getConversation: ({ id }) => ({ conversation: this.conversations.get(id) }),
    getOrCreateConversation: (input) => ({
      conversation: this.conversations.findByTags(input.tags) ?? this.createConversation(input),
    }),
    listConversations: ({ nextToken, tags }) => {
      const { items, meta } = this.conversations.page(nextToken, hasTags(tags))
      return { conversations: items, meta }
    },
    updateConversation: ({ id, tags }) => {
      const conversation = this.conversations.get(id)
      const merged = this.mergedTags('conversation', conversation.tags, tags)
      return { conversation: this.conversations.put({ ...conversation, tags: merged, updatedAt: now() }) }
    },
    deleteConversation: ({ id }) => {
      this.conversations.delete(id)
      for (const message of this.messages.all()) {
        if (message.conversationId === id) this.messages.delete(message.id)
      }
      return {}
    },

    createUser: (input) => ({ user: this.createUser(input) }),
    getUser: ({ id }) => ({ user: this.users.get(id) }),
    getOrCreateUser: (input) => ({ user: this.users.findByTags(input.tags) ?? this.createUser(input) }),
    listUsers: ({ nextToken, tags, conversationId }) => {
      const inConversation = (user: User) =>
        conversationId === undefined ||
        this.messages.all().some((message) => message.conversationId === conversationId && message.userId === user.id)
      const { items, meta } = this.users.page(nextToken, (user) => hasTags(tags)(user) && inConversation(user))
      return { users: items, meta }
    },
    updateUser: ({ id, tags, name, pictureUrl }) => {
      const user = this.users.get(id)
      const merged = this.mergedTags('user', user.tags, tags)
      return {
        user: this.users.put({
          ...user,
          ...(name !== undefined && { name }),
          pictureUrl: pictureUrl === null ? undefined : (pictureUrl ?? user.pictureUrl),
          tags: merged,
          updatedAt: now(),
        }),
      }
    },
    deleteUser: ({ id }) => {
      this.users.delete(id)
      return {}
    },

    createMessage: (input) => ({ message: this.createMessage(input, 'incoming') }),
    getMessage: ({ id }) => ({ message: this.messages.get(id) }),
    getOrCreateMessage: (input) => ({
      message: this.messages.findByTags(input.tags) ?? this.createMessage(input, 'incoming'),
    }),
    listMessages: ({ nextToken, tags, conversationId }) => {
      const { items, meta } = this.messages.page(
        nextToken,
        (message) =>
          hasTags(tags)(message) && (conversationId === undefined || message.conversationId === conversationId)
      )
      return { messages: items, meta }
    },
    updateMessage: ({ id, tags }) => {
      const message = this.messages.get(id)
      return { message: this.messages.put({ ...message, tags: this.mergedTags('message', message.tags, tags) }) }
    },
    deleteMessage: ({ id }) => {
      this.messages.delete(id)
      return {}
    },

    createEvent: ({ type, payload, conversationId, userId, messageId }) => {
      this.requireReferences({ conversationId, userId, messageId })
      return {
        event: this.events.put({
          id: this.events.newId(),
          createdAt: now(),
          type,
          payload,
          conversationId,
          userId,
          messageId,
          status: 'pending',
          failureReason: null,
        }),
      }
    },
    getEvent: ({ id }) => ({ event: this.events.get(id) }),
    listEvents: ({ nextToken, ...filter }) => {
      const wanted = Object.entries(filter).filter(([, value]) => value !== undefined)
      const { items, meta } = this.events.page(nextToken, (event) =>
        wanted.every(([name, value]) => event[name as keyof Event] === value)
      )
      return { events: items, meta }
    },
  }

  /**
   * Creates a message, from outside where `incoming`, of the bot where `outgoing`.
   *
   * @throws ApiError ReferenceNotFound where there is no such conversation or user; InvalidPayload for undeclared tags
   */
  createMessage(
    { conversationId, userId, type, payload, tags }: ClientInputs['createMessage'],
    direction: Message['direction']
  ): Message {
    this.requireReferences({ conversationId, userId })
    const message = this.messages.put({
      id: this.messages.newId(),
      createdAt: now(),
      type,
      payload,
      direction,
      userId,
      conversationId,
      tags: this.mergedTags('message', {}, tags),
    })
    this.props.onMessage(message)
    return message
  }

  private createConversation({ channel, tags }: ClientInputs['createConversation']): Conversation {
    const { channels, integrationName } = this.props
    if (!channels.includes(channel)) {
      throw new ApiError('InvalidPayload', `The integration has no channel ${channel}`)
    }
    return this.conversations.put({
      id: this.conversations.newId(),
      createdAt: now(),
      updatedAt: now(),
      channel,
      integration: integrationName,
      tags: this.mergedTags('conversation', {}, tags),
    })
  }

  private createUser({ tags, name, pictureUrl }: ClientInputs['createUser']): User {
    return this.users.put({
      id: this.users.newId(),
      createdAt: now(),
      updatedAt: now(),
      tags: this.mergedTags('user', {}, tags),
      ...(name !== undefined && { name }),
      ...(pictureUrl !== undefined && { pictureUrl }),
    })
  }

  /** An empty value unsets a tag. */
  private mergedTags(kind: keyof ChatProps['declaredTags'], before: Tags, changes: Tags = {}): Tags {
    const undeclared = Object.keys(changes).filter((name) => !this.props.declaredTags[kind].includes(name))
    if (undeclared.length > 0) {
      throw new ApiError('InvalidPayload', `The integration declares no ${kind} tag ${undeclared.join(', ')}`)
    }
    return Object.fromEntries(Object.entries({ ...before, ...changes }).filter(([, value]) => value !== ''))
  }

  private requireReferences(ids: { conversationId?: string; userId?: string; messageId?: string }): void {
    const missing = [
      [ids.conversationId, this.conversations, 'conversation'] as const,
      [ids.userId, this.users, 'user'] as const,
      [ids.messageId, this.messages, 'message'] as const,
    ].find(([id, collection]) => id !== undefined && !collection.has(id))
    if (missing) throw new ApiError('ReferenceNotFound', `The ${missing[2]} ${missing[0]} does not exist`)
  }
}

const now = (): string => new Date().toISOString()

const hasTags =
  (wanted: Tags = {}) =>
  (item: { tags: Tags }): boolean =>
    Object.entries(wanted).every(([name, value]) => item.tags[name] === value)
