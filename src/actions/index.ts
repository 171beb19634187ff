import type * as bp from '.botpress'
import { getOrCreateConversation } from './get-or-create-conversation'
import { getOrCreateUser } from './get-or-create-user'

export const actions = { getOrCreateUser, getOrCreateConversation } satisfies bp.IntegrationProps['actions']
