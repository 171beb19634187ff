import { expect, it } from 'vitest'
import { parsedExactly } from './exact-json.js'

it('what is no JSON is undefined, and a byte order mark changes nothing', () => {
  expect(parsedExactly('{')).toBeUndefined()
  expect(parsedExactly('\uFEFF{"a":[1,null,"1.0"]}')).toEqual({ a: [1, null, '1.0'] })
})
