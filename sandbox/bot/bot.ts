/** A message as the bot gets it, or makes it. */
export type BotMessage = { type: string; payload: Record<string, unknown> }

/** What the bot says to a message, in order. */
export type Bot = (message: BotMessage) => BotMessage[]
