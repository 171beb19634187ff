import type { ClientInputs, ClientOutputs, Conversation, Event, Message, User } from '@botpress/client'
import { ApiError } from '../api-error'
import type { operations } from '../botpress-api.json'
import { Collection } from './collection'
import { type StateDefinition, States } from './states'

/** The part of Botpress's API that an integration chats with. */
export type ChatOperation = keyof typeof operations

type ChatOperations = { [Name in ChatOperation]: (input: ClientInputs[Name]) => ClientOutputs[Name] }

type Tags = Record<string, string>

export type ChatProps = {
  botId: string
  integrationName: string
  /** The names of the channels that the integration has. */
  channels: string[]
  /** The tags that the integration declares: others are refused. */
  declaredTags: Record<'conversation' | 'user' | 'message', string[]>
  /** The states that the integration declares. */
  declaredStates: Record<string, StateDefinition>
  /** The events that the integration declares, and what their payloads must be. */
  declaredEvents: Record<string, { schema: { safeParse(payload: unknown): { error?: Error } } }>
  /** Whether users and messages that are looked up and found are updated with what the call brings. */
  updatesMatches: boolean
  /** Told of each message once it is in, and of the one that it answers, where the bot answers one. */
  onMessage: (message: Message, answered?: Message | Event) => void
  /** Told of each event. */
  onEvent: (event: Event) => void
  /** Told of each message whose tags are changed. */
  onTags: (message: Message) => void
}

const MAX_PAYLOAD_BYTES = 128 * 1024

/** A sandbox may run for weeks. */
const MAX_MESSAGES = 12_000

/**
 * The conversations, users, messages, events and states of one installation of an integration, kept in memory. Each operation is
 * atomic.
 */
export class Chat {
  readonly conversations: Collection<Conversation>
  readonly users: Collection<User>
  readonly messages: Collection<Message>
  readonly events = new Collection<Event>({ kind: 'Event', idPrefix: 'evt', maxItems: MAX_MESSAGES })

  readonly states: States

  constructor(private readonly props: ChatProps) {
    this.states = new States(props.declaredStates, props.botId)
    const { conversation, user, message } = props.declaredTags
    this.conversations = new Collection({ kind: 'Conversation', idPrefix: 'conv', ownTags: conversation })
    this.users = new Collection({ kind: 'User', idPrefix: 'user', ownTags: user })
    this.messages = new Collection({ kind: 'Message', idPrefix: 'msg', ownTags: message, maxItems: MAX_MESSAGES })
  }

  /** The operations as an integration calls them: the messages that it creates are incoming. */
  readonly operations: ChatOperations = {
    createConversation: (input) => ({ conversation: this.conversations.put(this.newConversation(input)) }),
    getConversation: ({ id }) => ({ conversation: this.conversations.get(id) }),
    getOrCreateConversation: (input) => {
      const created = this.newConversation(input)
      return { conversation: this.conversations.findByTags(input.tags) ?? this.conversations.put(created) }
    },
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

    createUser: (input) => ({ user: this.users.put(this.newUser(input)) }),
    getUser: ({ id }) => ({ user: this.users.get(id) }),
    getOrCreateUser: (input) => {
      const created = this.newUser(input)
      const found = this.users.findByTags(input.tags)
      if (!found) return { user: this.users.put(created) }
      return { user: this.props.updatesMatches ? this.updateUser(found, input) : found }
    },
    listUsers: ({ nextToken, tags, conversationId }) => {
      const inConversation = (user: User) =>
        conversationId === undefined ||
        this.messages.all().some((message) => message.conversationId === conversationId && message.userId === user.id)
      const { items, meta } = this.users.page(nextToken, (user) => hasTags(tags)(user) && inConversation(user))
      return { users: items, meta }
    },
    updateUser: ({ id, ...changes }) => ({ user: this.updateUser(this.users.get(id), changes) }),
    deleteUser: ({ id }) => {
      this.users.delete(id)
      return {}
    },

    createMessage: (input) => ({ message: this.deliver(this.newIncomingMessage(input)) }),
    getMessage: ({ id }) => ({ message: this.messages.get(id) }),
    getOrCreateMessage: (input) => {
      const created = this.newIncomingMessage(input)
      const found = this.messages.findByTags(input.tags)
      if (!found) return { message: this.deliver(created) }
      if (!this.props.updatesMatches) return { message: found }
      return { message: this.messages.put({ ...found, payload: input.payload }) }
    },
    listMessages: ({ nextToken, tags, conversationId }) => {
      const { items, meta } = this.messages.page(
        nextToken,
        (message) =>
          hasTags(tags)(message) && (conversationId === undefined || message.conversationId === conversationId)
      )
      return { messages: items, meta }
    },
    updateMessage: ({ id, tags }) => {
      const before = this.messages.get(id)
      const message = this.messages.put({ ...before, tags: this.mergedTags('message', before.tags, tags) })
      this.props.onTags(message)
      return { message }
    },
    deleteMessage: ({ id }) => {
      this.messages.delete(id)
      return {}
    },

    createEvent: (input) => {
      const event = this.events.put(this.newEvent(input))
      this.props.onEvent(event)
      return { event }
    },
    getEvent: ({ id }) => ({ event: this.events.get(id) }),
    listEvents: ({ nextToken, ...filter }) => {
      const wanted = Object.entries(filter).filter(([, value]) => value !== undefined)
      const { items, meta } = this.events.page(nextToken, (event) =>
        wanted.every(([name, value]) => event[name as keyof Event] === value)
      )
      return { events: items, meta }
    },

    getState: (key) => ({ state: this.states.get(key), meta: { cached: false } }),
    getOrSetState: (input) => ({ state: this.states.getOrSet(input), meta: { cached: false } }),
    setState: (input) => ({ state: this.states.set(input) }),
  }

  /**
   * Creates a message of the bot. Its tags are the bot's own.
   *
   * @param answered what it answers, where it answers something
   * @throws ApiError ReferenceNotFound where there is no such conversation or user; PayloadTooLarge
   */
  createBotMessage(
    input: Omit<ClientInputs['createMessage'], 'tags'> & { tags?: Tags },
    answered?: Message | Event
  ): Message {
    return this.deliver(this.newMessage({ tags: {}, ...input, direction: 'outgoing' }), answered)
  }

  /** Forgets everything but the bot. */
  clear(botUserId: string): void {
    for (const collection of [this.conversations, this.messages, this.events, this.states]) collection.clear()
    this.users.clear(botUserId)
  }

  private deliver(message: Message, answered?: Message | Event): Message {
    this.messages.put(message)
    this.props.onMessage(message, answered)
    return message
  }

  private newIncomingMessage({ tags, ...input }: ClientInputs['createMessage']): Message {
    return this.newMessage({ ...input, tags: this.mergedTags('message', {}, tags), direction: 'incoming' })
  }

  private newMessage({ conversationId, userId, type, payload, tags, direction }: NewMessage): Message {
    this.requireReferences({ conversationId, userId })
    const bytes = Buffer.byteLength(JSON.stringify(payload))
    if (bytes > MAX_PAYLOAD_BYTES) {
      throw new ApiError('PayloadTooLarge', `The payload of a message has at most 128 KB, and this one ${bytes} bytes`)
    }
    const id = this.messages.newId()
    return { id, createdAt: now(), type, payload, direction, userId, conversationId, tags }
  }

  private newEvent({ type, payload, conversationId, userId, messageId }: ClientInputs['createEvent']): Event {
    const declared = Object.hasOwn(this.props.declaredEvents, type) ? this.props.declaredEvents[type] : undefined
    if (!declared) throw new ApiError('InvalidPayload', `The integration declares no event ${type}`)
    const { error } = declared.schema.safeParse(payload)
    if (error) throw new ApiError('InvalidPayload', `The payload is not one of the event ${type}: ${error.message}`)
    this.requireReferences({ conversationId, userId, messageId })
    const ids = { conversationId, userId, messageId }
    return { id: this.events.newId(), createdAt: now(), type, payload, ...ids, status: 'pending', failureReason: null }
  }

  private newConversation({ channel, tags }: ClientInputs['createConversation']): Conversation {
    const { channels, integrationName } = this.props
    if (!channels.includes(channel)) {
      throw new ApiError('InvalidPayload', `The integration has no channel ${channel}`)
    }
    return {
      id: this.conversations.newId(),
      createdAt: now(),
      updatedAt: now(),
      channel,
      integration: integrationName,
      tags: this.mergedTags('conversation', {}, tags),
    }
  }

  private newUser({ tags, name, pictureUrl }: ClientInputs['createUser']): User {
    return {
      id: this.users.newId(),
      createdAt: now(),
      updatedAt: now(),
      tags: this.mergedTags('user', {}, tags),
      ...(name !== undefined && { name }),
      ...(pictureUrl !== undefined && { pictureUrl }),
    }
  }

  private updateUser(user: User, { tags, name = user.name, pictureUrl = user.pictureUrl }: UserChanges): User {
    return this.users.put({
      ...user,
      ...(name !== undefined && { name }),
      pictureUrl: pictureUrl ?? undefined,
      tags: this.mergedTags('user', user.tags, tags),
      updatedAt: now(),
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

type NewMessage = ClientInputs['createMessage'] & Pick<Message, 'direction'>

type UserChanges = Omit<ClientInputs['updateUser'], 'id'>

const now = (): string => new Date().toISOString()

const hasTags =
  (wanted: Tags = {}) =>
  (item: { tags: Tags }): boolean =>
    Object.entries(wanted).every(([name, value]) => item.tags[name] === value)
