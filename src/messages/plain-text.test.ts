import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { plainTextOf } from './plain-text'

const lines = (...all: string[]) => all.join('\n')

const say = (label: string) => ({ action: 'say', label, value: `say ${label}` })
const order = {
  title: 'Espresso',
  subtitle: 'Roasted this morning',
  imageUrl: 'https://a.example/espresso.png',
  actions: [
    say('Order'),
    { action: 'url', label: 'Read more', value: 'https://a.example/menu' },
    { action: 'postback', label: 'Remember', value: 'remembered' },
  ],
}
const sizes = {
  text: 'Which **size**?',
  options: [
    { label: 'Small', value: 's' },
    { label: 'Large', value: 'l' },
  ],
}
const place = { latitude: 45.5, longitude: -73.56, address: 'Place d’Armes', title: 'The café' }
const map = 'https://www.google.com/maps/search/?api=1&query=45.5,-73.56'

const textOf = (type: string, payload: object) => plainTextOf(type, payload)?.text

describe('a message as plain text', () => {
  it.each([
    ['text', { text: '**Hello**' }, 'Hello'],
    ['markdown', { markdown: '# Hello' }, 'Hello'],
    ['image', { imageUrl: 'https://a.example/a.png' }, 'https://a.example/a.png'],
    ['image', { imageUrl: 'https://a.example/a.png', title: 'A cup' }, 'A cup\nhttps://a.example/a.png'],
    ['audio', { audioUrl: 'https://a.example/a.mp3', title: 'A bell' }, 'A bell\nhttps://a.example/a.mp3'],
    ['video', { videoUrl: 'https://a.example/a.mp4', title: null }, 'https://a.example/a.mp4'],
    ['file', { fileUrl: 'https://a.example/a.pdf', title: '' }, 'https://a.example/a.pdf'],
    ['location', place, lines('The café', 'Place d’Armes', map)],
    ['location', { latitude: 45.5, longitude: -73.56 }, map],
    [
      'card',
      order,
      lines(
        'Espresso',
        'Roasted this morning',
        'https://a.example/espresso.png',
        '1. Order',
        'Read more: https://a.example/menu',
        '2. Remember'
      ),
    ],
    ['card', { title: 'Espresso' }, 'Espresso'],
    [
      'carousel',
      {
        items: [
          { title: 'A', actions: [say('B'), say('C')] },
          { title: 'D', actions: [say('E')] },
        ],
      },
      lines('A', '1. B', '2. C', '', 'D', '3. E'),
    ],
    ['choice', sizes, lines('Which size?', '', '1. Small', '2. Large')],
    ['dropdown', { ...sizes, text: '' }, lines('1. Small', '2. Large')],
    ['choice', { text: 'Nothing to choose', options: [] }, 'Nothing to choose'],
    [
      'bloc',
      {
        items: [
          { type: 'text', payload: { text: '_Here_:' } },
          { type: 'card', payload: { title: 'A', actions: [say('B')] } },
          { type: 'choice', payload: sizes },
          { type: 'any', payload: { text: '_as it is_' } },
        ],
      },
      lines('Here:', '', 'A', '1. B', '', 'Which size?', '', '2. Small', '3. Large', '', '_as it is_'),
    ],
    ['choice', { text: 'Which?\n', options: [{ label: 'A' }] }, lines('Which?', '', '1. A')],
    ['any', { text: '**as it is**', more: 1 }, '**as it is**'],
    ['hologram', { text: 'as it is' }, 'as it is'],
    ['constructor', { text: 'as it is' }, 'as it is'],
  ])('%s %j', (type, payload, text) => {
    expect(textOf(type, payload)).toBe(text)
  })

  it.each([
    ['text', {}],
    ['text', { text: 1 }],
    ['text', { text: '' }],
    ['markdown', { text: 'Hello' }],
    ['image', { title: 'A cup' }],
    ['image', { imageUrl: 'https://a.example', title: 1 }],
    ['location', { latitude: '45.5', longitude: -73.56 }],
    ['location', { latitude: Number.NaN, longitude: -73.56 }],
    ['card', { subtitle: 'no title' }],
    ['card', { title: 'A', actions: [{ action: 'fly', label: 'B', value: 'C' }] }],
    ['card', { title: 'A', actions: [{ action: 'say', label: 'B' }] }],
    ['carousel', { items: [{ title: 'A' }, { subtitle: 'no title' }] }],
    ['carousel', { items: [] }],
    ['carousel', { items: { 0: { title: 'A' } } }],
    ['choice', { text: 'Which?' }],
    ['choice', { text: 'Which?', options: 'Small' }],
    ['choice', { text: 'Which?', options: [{ value: 's' }] }],
    ['dropdown', { options: sizes.options }],
    ['bloc', {}],
    [
      'bloc',
      {
        items: [
          { type: 'text', payload: { text: 'A' } },
          { type: 'image', payload: {} },
        ],
      },
    ],
    ['bloc', { items: [null] }],
    [
      'bloc',
      {
        items: [
          { type: 'text', payload: { text: 'A' } },
          { type: 'any', payload: { text: '' } },
        ],
      },
    ],
    ['any', { order: 42 }],
    ['any', { text: '' }],
    ['hologram', { text: ['A'] }],
  ])('%s %j goes unchanged', (type, payload) => {
    expect(plainTextOf(type, payload)).toBeUndefined()
  })

  it('has numbers for what can be chosen, unless a label begins with a digit', () => {
    const { options } = plainTextOf('choice', sizes)!
    expect(options.map(({ answer }) => answer)).toEqual([
      { text: 'Small', value: 's' },
      { text: 'Large', value: 'l' },
    ])
    expect(plainTextOf('card', order)!.options.map(({ answer }) => answer)).toEqual([
      { text: 'say Order' },
      { text: 'remembered' },
    ])
    for (const label of ['2 pizzas', ' 2', '٢', '2️⃣']) {
      const withDigit = {
        text: 'Which?',
        options: [
          { label: 'One', value: '1' },
          { label, value: '2' },
        ],
      }
      expect(plainTextOf('choice', withDigit)).toEqual({ text: lines('Which?', '', 'One', label), options: [] })
    }
  })

  it('is made of whatever a bot sends, and never throws', () => {
    const types = ['text', 'markdown', 'image', 'location', 'card', 'carousel', 'choice', 'bloc', 'any', '__proto__']
    const names = ['text', 'title', 'items', 'options', 'actions', 'label', 'value', 'type', 'payload', 'imageUrl']
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'medium' },
        fc.constantFrom<unknown>(null, true, 0, -1.5, '', 'url', 'say', 'choice', 'text', '**a** 1. [b](c)'),
        fc.string({ unit: 'grapheme' }),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fc.constantFrom(...names, '__proto__', 'toString'), tie('value'), { maxKeys: 6 })
      ),
    }))
    fc.assert(
      fc.property(fc.constantFrom(...types), value, (type, payload) => {
        const plain = plainTextOf(type, payload as object)
        if (plain) expect(plain.text).not.toBe('')
        plain?.options.forEach(({ label }, index) => expect(plain.text).toContain(`${index + 1}. ${label}`))
      }),
      { numRuns: 2000 }
    )
  })

  it('is not made of what is nested too deeply', () => {
    let payload: object = { text: 'A' }
    for (let depth = 0; depth < 5000; depth++) payload = { items: [{ type: 'bloc', payload }] }
    expect(plainTextOf('bloc', payload)).toBeUndefined()
  })
})
