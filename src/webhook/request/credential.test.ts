import { describe, expect, it } from 'vitest'
import { credentialOf } from './credential'

const KEY = `!"#$%&'()*,:;<=>?@[]^_{|}\\A-Za-z0-9`

describe('the credential of a request', () => {
  it.each([
    ['Bearer abc', 'abc'],
    ['bearer abc', 'abc'],
    ['BEARER abc', 'abc'],
    ['  Bearer   abc  ', 'abc'],
    ['Bearer bp_pat_A-Z.a~z+0/9==', 'bp_pat_A-Z.a~z+0/9=='],
    [`Bearer ${KEY}`, KEY],
  ])('is the Bearer token in "%s"', (authorization, credential) => {
    expect(credentialOf({ authorization })).toBe(credential)
  })

  it.each([
    ['abc', 'abc'],
    [' abc ', 'abc'],
    [KEY, KEY],
  ])('is the x-bp-secret "%s"', (secret, credential) => {
    expect(credentialOf({ 'x-bp-secret': secret })).toBe(credential)
  })

  it('may be in both headers', () => {
    expect(credentialOf({ authorization: 'Bearer abc', 'x-bp-secret': 'abc' })).toBe('abc')
    expect(credentialOf({ authorization: 'Bearer abc', 'x-bp-secret': '' })).toBe('abc')
    expect(credentialOf({ authorization: '', 'x-bp-secret': 'abc' })).toBe('abc')
  })

  it.each([
    'Bearer',
    'Bearer ',
    'Bearerabc',
    'Basic abc',
    'abc',
    'Bearer a b',
    'Bearer a\nb',
    'Bearer é',
    'Basic abc, Bearer abc',
  ])('is none where the Authorization header is %j, whatever else there is', (authorization) => {
    const reason = /^The Authorization header is no well-formed Bearer token\. Send "Authorization: Bearer/
    expect(() => credentialOf({ authorization })).toThrow(reason)
    expect(() => credentialOf({ authorization, 'x-bp-secret': 'abc' })).toThrow(reason)
  })

  it.each([{}, { authorization: '' }, { authorization: ' ' }, { 'x-bp-secret': '' }, { 'x-bp-secret': ' ' }])(
    'is none in %j',
    (headers) => {
      expect(() => credentialOf(headers)).toThrow(/^The request has no credential\./)
    }
  )

  it('is none where there are two that differ', () => {
    expect(() => credentialOf({ authorization: 'Bearer abc', 'x-bp-secret': 'abC' })).toThrow(
      /^The headers Authorization and x-bp-secret hold two credentials that differ\./
    )
  })
})
