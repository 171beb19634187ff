import { describe, expect, it } from 'vitest'
import { appliedPreference, waitPreference } from './preferences'

describe('the wait preference', () => {
  it.each([
    ['wait=10', { waitSeconds: 10 }],
    ['WAIT=10', { waitSeconds: 10 }],
    ['  wait \t=  10  ', { waitSeconds: 10 }],
    ['wait="7"', { waitSeconds: 7 }],
    ['wait=0', { waitSeconds: 0 }],
    ['wait=25', { waitSeconds: 25 }],
    ['wait=26', { waitSeconds: 25 }],
    [`wait=${'9'.repeat(400)}`, { waitSeconds: 25 }],
    ['return=minimal; foo="some, wait=9; parameter"; bar, wait=5', { waitSeconds: 5 }],
    ['foo="a \\"quoted\\" \\\\, word", wait=3', { waitSeconds: 3 }],
    ['respond-async, wait=10', { waitSeconds: 10 }],
    ['respond-async,wait=10', { waitSeconds: 10 }],
    ['wait=1, wait=2', { waitSeconds: 1 }],
    [', ,wait=10,,', { waitSeconds: 10 }],
    ['wait=10;', { waitSeconds: 10 }],
    ['wait=10 ; ; a', { waitSeconds: 10 }],
    ['__proto__=x, constructor=y, wait=4', { waitSeconds: 4 }],
    ['wait=20, replies=1', { waitSeconds: 20, replies: 1 }],
    ['Replies="100", wait=20', { waitSeconds: 20, replies: 100 }],
    ['wait=20, replies=101', { waitSeconds: 20, replies: 100 }],
    ['wait=20, replies=0', { waitSeconds: 20 }],
    ['wait=20, replies', { waitSeconds: 20 }],
    ['wait=20, replies=-1', { waitSeconds: 20 }],
    ['wait=20, replies=1.5', { waitSeconds: 20 }],
    ['wait=20; replies=1', { waitSeconds: 20 }],
  ])('is read from %s', (header, preference) => {
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
    'replies=1',
  ])('is not in %j', (header) => {
    expect(waitPreference(header)).toBeUndefined()
  })

  it.each([
    'wait=',
    'wait=10, b=',
    '=10, wait=10',
    'wait=1 2',
    'wait=10 20',
    'wait="10',
    'wait=10, (',
    'wait: 10',
    'wait=10; =x',
    'é, wait=10',
    'wait=10 é',
    'wait=10, a="b',
  ])('is ignored with the whole of a malformed header: %j', (header) => {
    expect(waitPreference(header)).toBeUndefined()
  })
})

it('tells what was applied', () => {
  expect(appliedPreference({ waitSeconds: 20 })).toBe('wait=20')
  expect(appliedPreference({ waitSeconds: 20, replies: 1 })).toBe('wait=20, replies=1')
})

it.each(['a,', 'a;', ' ', ',', '\t;', '; ', 'a=b,', '"', '\\', 'a', 'a="\\x" ;', '= '])(
  'reads a header of 200,000 characters, which takes minutes if the work is quadratic: %j',
  (part) => {
    const many = part.repeat(200_000 / part.length)
    for (const header of [many, `${many}é`, `a${many}`, `a="${many}`, `a;${many}é`]) {
      expect(waitPreference(header)).toBeUndefined()
    }
  }
)
