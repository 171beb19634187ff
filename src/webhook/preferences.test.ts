import { describe, expect, it } from 'vitest'
import { parsePreferences, preferredWaitSeconds } from './preferences'

describe('parsePreferences', () => {
  it.each([
    ['', {}],
    ['wait=10', { wait: '10' }],
    ['WAIT=10', { wait: '10' }],
    ['  wait \t=  10  ', { wait: '10' }],
    ['wait="10"', { wait: '10' }],
    ['respond-async', { 'respond-async': '' }],
    ['return=minimal; foo="some, parameter"; bar, wait=5', { return: 'minimal', wait: '5' }],
    ['respond-async, wait=10', { 'respond-async': '', wait: '10' }],
    ['respond-async,wait=10', { 'respond-async': '', wait: '10' }],
    ['wait=1, wait=2', { wait: '1' }],
    ['foo=""', { foo: '' }],
    ['foo="a \\"quoted\\" \\\\, word", wait=3', { foo: 'a "quoted" \\, word', wait: '3' }],
    [', ,wait=10,,', { wait: '10' }],
    ['wait=10;', { wait: '10' }],
    ['wait=10 ; ; a', { wait: '10' }],
    ['__proto__=x, constructor=y', { constructor: 'y', ['__proto__']: 'x' }],
  ])('reads %j', (header, preferences) => {
    expect(Object.fromEntries(parsePreferences(header))).toEqual(preferences)
  })

  it.each(['wait=', '=10', 'wait=10 20', 'wait="10', 'wait=10, (', 'wait: 10', 'wait=10; =x', 'é', 'wait=10 é'])(
    'ignores the malformed %j',
    (header) => {
      expect(parsePreferences(header).size).toBe(0)
    }
  )
})

describe('preferredWaitSeconds', () => {
  it.each([
    ['wait=10', 10],
    ['wait="7"', 7],
    ['wait=0', 0],
    ['wait=25', 25],
    ['wait=26', 25],
    [`wait=${'9'.repeat(400)}`, 25],
  ])('reads %s', (header, seconds) => {
    expect(preferredWaitSeconds(header)).toBe(seconds)
  })

  it.each([
    undefined,
    '',
    'wait',
    'wait=""',
    'wait=-1',
    'wait=1.5',
    'wait=1e1',
    'wait=ten',
    'respond-async',
    'wait=1 2',
  ])('has none in %j', (header) => {
    expect(preferredWaitSeconds(header)).toBeUndefined()
  })
})
