import { describe, expect, it } from 'vitest'
import definition from '../../integration.definition'
import { demoBot } from './demo-bot'

const bot = demoBot('http://localhost/demo')

const say = (text: string) => bot({ type: 'text', payload: { text } })

describe('the demo bot', () => {
  it('answers a text with one that holds the same words', () => {
    expect(say('Good morning')).toEqual([{ type: 'text', payload: { text: expect.stringContaining('Good morning') } }])
  })

  const schemas = Object.entries(definition.channels!.channel.messages).filter(([type]) => type !== 'text')
  it.each(schemas)('answers %s with a sample of that type', (type, { schema }) => {
    const [reply, ...more] = say(type)
    expect(more).toEqual([])
    expect(reply!.type).toBe(type)
    expect(schema.parse(reply!.payload)).toEqual(reply!.payload)
  })

  it('answers "burst 12" with twelve texts, in order', () => {
    expect(say('burst 12').map(({ payload }) => payload.text)).toEqual(
      Array.from({ length: 12 }, (_, index) => `${index + 1} of 12`)
    )
  })

  it('answers "silent" with nothing', () => {
    expect(say('silent')).toEqual([])
  })

  it.each(['Card', 'CARD', ' card '])(
    'knows its words in any case, and with white space around them: "%s"',
    (words) => {
      expect(say(words)).toEqual(say('card'))
      expect(say(words.replace(/card/i, 'Silent'))).toEqual([])
      expect(say(words.replace(/card/i, 'Burst 2'))).toHaveLength(2)
    }
  )

  it('answers a message of another type with a text that names it', () => {
    expect(bot({ type: 'order', payload: { text: 'silent' } })).toEqual([
      { type: 'text', payload: { text: expect.stringContaining('order') } },
    ])
  })

  it('answers an event with one text that names its type', () => {
    const event = { eventId: '1' }
    expect(bot({ type: 'card', payload: { text: 'silent' }, event })).toEqual([
      { type: 'text', payload: { text: 'You told me of the event card.' } },
    ])
  })

  it.each(['constructor', '__proto__', 'burst', 'burst x'])('takes %s for a text like any other', (text) => {
    expect(say(text)).toEqual([{ type: 'text', payload: { text: expect.stringContaining(text) } }])
  })
})
