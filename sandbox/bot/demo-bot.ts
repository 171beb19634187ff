import type { BotInput, BotMessage } from './bot'
import { demoMessages } from './demo-messages'

const text = (words: string): BotMessage => ({ type: 'text', payload: { text: words } })

/**
 * A bot to try things out on. To a text it answers one that holds the same words; to the name of a message type a sample
 * of that type; to `burst N` N texts; to `silent` nothing, whatever their case; to an event, and to a message of another
 * type, a text that names the type.
 *
 * @param mediaUrl where the folder `demo-media` is served
 */
export const demoBot = (mediaUrl: string) => {
  const samples = demoMessages(mediaUrl)
  return ({ type, payload, event }: BotInput): BotMessage[] => {
    if (event) return [text(`You told me of the event ${type}.`)]
    if (type !== 'text') return [text(`You sent a message of type ${type}.`)]
    const words = String(payload.text).trim().toLowerCase()
    if (words === 'silent') return []
    const burst = words.match(/^burst (\d{1,4})$/)
    if (burst) return Array.from({ length: Number(burst[1]) }, (_, index) => text(`${index + 1} of ${burst[1]}`))
    if (Object.hasOwn(samples, words)) return [{ type: words, payload: samples[words]! }]
    return [text(`You said: ${payload.text}`)]
  }
}
