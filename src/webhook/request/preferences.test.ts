import { describe, expect, it, vi } from 'vitest'
import { appliedPreference, parsePreferences, waitPreference } from './preferences'

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

describe('waitPreference', () => {
  it.each([
    ['wait=10', { waitSeconds: 10 }],
    ['wait="7"', { waitSeconds: 7 }],
    ['wait=0', { waitSeconds: 0 }],
    ['wait=25', { waitSeconds: 25 }],
    ['wait=26', { waitSeconds: 25 }],
    [`wait=${'9'.repeat(400)}`, { waitSeconds: 25 }],
    ['wait=20, replies=1', { waitSeconds: 20, replies: 1 }],
    ['Replies="100", wait=20', { waitSeconds: 20, replies: 100 }],
    ['wait=20, replies=101', { waitSeconds: 20, replies: 100 }],
    ['wait=20, replies=0', { waitSeconds: 20 }],
    ['wait=20, replies', { waitSeconds: 20 }],
    ['wait=20, replies=-1', { waitSeconds: 20 }],
    ['wait=20, replies=1.5', { waitSeconds: 20 }],
    ['wait=20; replies=1', { waitSeconds: 20 }],
  ])('reads %s', (header, preference) => {
    expect(waitPreference(header)).toEqual(preference)
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
    'replies=1',
  ])('has none in %j', (header) => {
    expect(waitPreference(header)).toBeUndefined()
  })
})

it('tells what was applied', () => {
  expect(appliedPreference({ waitSeconds: 20 })).toBe('wait=20')
  expect(appliedPreference({ waitSeconds: 20, replies: 1 })).toBe('wait=20, replies=1')
})

describe('the work of reading', () => {
  // Counted in steps, which a slow machine does not change.
  const stepsFor = (header: string): number => {
    let steps = 0
    const exec = vi.spyOn(RegExp.prototype, 'exec').mockImplementation(function (this: RegExp, text: string) {
      steps++
      return Reflect.apply(original, this, [text]) as RegExpExecArray | null
    })
    parsePreferences(header)
    exec.mockRestore()
    return steps
  }
  const { exec: original } = RegExp.prototype

  it.each(['a,', 'a;', ' ', ',', '\t;', 'a=b,', '"', '\\'])(
    'grows with the length of the header, and no faster: %j',
    (part) => {
      expect(stepsFor(part.repeat(16_000))).toBeLessThanOrEqual(stepsFor(part.repeat(8000)) * 2 + 2)
    }
  )

  it('does not read white space over and over', () => {
    // Quadratic, it takes minutes.
    expect(parsePreferences(`a${' '.repeat(500_000)}`).size).toBe(1)
    expect(parsePreferences(`a${' '.repeat(500_000)};`).size).toBe(1)
    expect(parsePreferences(`${' '.repeat(500_000)}é`).size).toBe(0)
    expect(parsePreferences(`a="${'\\x'.repeat(250_000)}`).size).toBe(0)
  })
})
