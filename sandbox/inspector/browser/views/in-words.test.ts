import { expect, it } from 'vitest'
import { cutInTheMiddle, duration } from './in-words.js'

it.each([
  [0, '0 ms'],
  [999, '999 ms'],
  [1400, '1.4 s'],
  [125_000, '2 min 5 s'],
  [119_700, '2 min 0 s'],
])('%d ms are %s', (ms, words) => {
  expect(duration(ms)).toBe(words)
})

it('cuts a long id in the middle', () => {
  expect(cutInTheMiddle('whatsapp:+33612345678')).toBe('whatsapp:+33612345678')
  expect(cutInTheMiddle('whatsapp:+33612345678@s.whatsapp.net')).toBe('whatsapp:+…atsapp.net')
  expect(cutInTheMiddle('👩'.repeat(40), 5)).toBe('👩👩…👩👩')
})
