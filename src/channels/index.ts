import type * as bp from '.botpress'
import { deliver } from './deliver'

export const channels = {
  channel: {
    messages: {
      text: deliver,
      markdown: deliver,
      image: deliver,
      audio: deliver,
      video: deliver,
      file: deliver,
      location: deliver,
      card: deliver,
      carousel: deliver,
      choice: deliver,
      dropdown: deliver,
      bloc: deliver,
      any: deliver,
    },
  },
} satisfies bp.IntegrationProps['channels']
