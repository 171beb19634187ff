/** A message as the bot gets it, or makes it. Its payload may have more keys than its type has, as `metadata`. */
export type BotMessage = {
  type: string
  payload: Record<string, unknown>
  /** Of the bot, for itself: they are none of those that the integration declares. */
  tags?: Record<string, string>
}

/** What the bot says to a message, in order. */
export type Bot = (message: BotMessage) => BotMessage[]
