import { describe, expect, it } from 'vitest'
import { bearerToken } from './bearer-token'

describe('bearerToken', () => {
  it.each([
    ['Bearer abc', 'abc'],
    ['bearer abc', 'abc'],
    ['BEARER abc', 'abc'],
    ['  Bearer   abc  ', 'abc'],
    ['Bearer bp_pat_A-Z.a~z+0/9==', 'bp_pat_A-Z.a~z+0/9=='],
  ])('finds the token in "%s"', (authorization, token) => {
    expect(bearerToken(authorization)).toBe(token)
  })

  it.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Bearerabc',
    'Basic abc',
    'abc',
    'Bearer a b',
    'Bearer a,b',
    'Bearer =',
    'Bearer "abc"',
    'Bearer a\nb',
    'Bearer é',
    'Basic abc, Bearer abc',
  ])('finds none in %j', (authorization) => {
    expect(bearerToken(authorization)).toBeUndefined()
  })
})
