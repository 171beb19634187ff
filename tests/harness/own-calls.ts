import type { ApiCall } from '../../sandbox/cloud/chat/chat-api'

/**
 * Whether the integration makes a call on its own account, and not for a request of the backend or the bot: to mark a message
 * that was not delivered, or to look for such messages.
 */
export const isOwnCall = ({ operation, input }: ApiCall): boolean =>
  operation === 'updateMessage' || (operation === 'listMessages' && Object.hasOwn(Object(input['tags']), 'delivery'))
