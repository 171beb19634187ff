import type * as bp from '.botpress'
import { handleBotMessage } from './handle-bot-message'

export const channels = {
  channel: {
    messages: {
      text: handleBotMessage,
      markdown: handleBotMessage,
      image: handleBotMessage,
      audio: handleBotMessage,
      video: handleBotMessage,
      file: handleBotMessage,
      location: handleBotMessage,
      card: handleBotMessage,
      carousel: handleBotMessage,
      choice: handleBotMessage,
      dropdown: handleBotMessage,
      bloc: handleBotMessage,
      any: handleBotMessage,
    },
  },
} satisfies bp.IntegrationProps['channels']
