/** A message of the bot, as the endpoint receives it. */
export type OutgoingMessage = {
  type: string
  /** As the bot sent it. */
  payload: object
  /** The external id: the one that the backend chose. */
  conversationId: string
  botpressUserId: string
  botpressMessageId: string
  botpressConversationId: string
}
