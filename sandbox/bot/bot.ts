/** A message as the bot gets it, or makes it. Its payload may have more keys than its type has, as `metadata`. */
export type BotMessage = {
  type: string
  payload: Record<string, unknown>
  /** Of the bot, for itself: they are none of those that the integration declares. */
  tags?: Record<string, string>
}

/** What the bot gets, with the ids that the backend chose: a message, or an event under the name that the backend gave it. */
export type BotInput = Pick<BotMessage, 'type' | 'payload'> & {
  conversationId?: string
  userId?: string
  /** If it is an event. */
  event?: { eventId?: string }
}

/** The payload of the integration's event. */
type CustomEvent = Omit<BotInput, 'event'> & { eventId?: string }

/** An event as the bot gets it. */
export const eventInputOf = ({ payload: told }: { payload: Record<string, unknown> }): BotInput => {
  const { type, payload, conversationId, userId, eventId } = told as CustomEvent
  return { type, payload, conversationId, userId, event: { eventId } }
}

/** A text, or any message. */
export type BotReply = string | BotMessage

/** What the bot says to a message, in order. */
export type Bot = (input: BotInput) => BotReply | BotReply[] | undefined | Promise<BotReply | BotReply[] | undefined>

/** The replies of a bot as messages. @throws Error if one is neither a text nor a message */
export const repliesOf = (answer: BotReply | BotReply[] | undefined): BotMessage[] =>
  [answer ?? []].flat().map((reply) => {
    if (typeof reply === 'string') return { type: 'text', payload: { text: reply } }
    const { type, payload } = Object(reply)
    if (typeof type === 'string' && typeof payload === 'object' && payload !== null) return reply
    throw new Error(`The bot answered ${JSON.stringify(reply)}. A reply is a text, or { type, payload }.`)
  })
