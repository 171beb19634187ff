import { describe, expect, it } from 'vitest'
import { isScriptDone, targetInWords, targetToFollow } from './redirect'

const answer = (status: number, location?: string) => ({ status, headers: { location } })

describe('a redirect that is followed', () => {
  it.each([
    ['http://a.example/bot', '/bot/', 'http://a.example/bot/'],
    ['http://a.example/bot?key=1', 'bot/?key=1', 'http://a.example/bot/?key=1'],
    ['https://a.example:8443/bot', 'https://A.example:8443/else', 'https://a.example:8443/else'],
    ['http://a.example/bot', 'https://a.example/bot', 'https://a.example/bot'],
    ['http://a.example:8080/bot', 'https://a.example/bot', 'https://a.example/bot'],
    ['http://a.example:8080/bot', 'https://a.example:8080/bot', 'https://a.example:8080/bot'],
    ['https://a.example/bot', '//a.example:443/bot', 'https://a.example/bot'],
    ['http://me:secret@a.example/bot', 'http://a.example/bot/', 'http://me:secret@a.example/bot/'],
    ['http://me:secret@a.example/bot', 'http://you:too@a.example/bot/', 'http://me:secret@a.example/bot/'],
    ['http://[2001:db8::1]/bot', 'http://[2001:db8:0::1]/bot/', 'http://[2001:db8::1]/bot/'],
  ])('from %s to %s', (from, location, target) => {
    for (const status of [307, 308]) expect(targetToFollow(new URL(from), answer(status, location))?.href).toBe(target)
    for (const status of [200, 300, 301, 302, 303, 304, 305, 309]) {
      expect(targetToFollow(new URL(from), answer(status, location))).toBeUndefined()
    }
  })

  it.each([
    ['http://a.example/bot', 'http://b.example/bot'],
    ['http://a.example/bot', 'http://a.example.b.example/bot'],
    ['http://a.example/bot', 'http://www.a.example/bot'],
    ['http://a.example/bot', 'http://a.example:8080/bot'],
    ['http://a.example/bot', 'https://a.example:8443/bot'],
    ['https://a.example/bot', 'http://a.example/bot'],
    ['https://a.example:8443/bot', 'http://a.example:8443/bot'],
    ['https://a.example/bot', 'https://a.example:8443/bot'],
    ['http://a.example/bot', 'ftp://a.example/bot'],
    ['http://a.example/bot', 'http://['],
    ['http://127.0.0.1/bot', 'http://localhost/bot'],
    ['http://a.example/bot', undefined],
  ])('is not one from %s to %s', (from, location) => {
    expect(targetToFollow(new URL(from), answer(307, location))).toBeUndefined()
  })
})

describe('Google Apps Script has run', () => {
  const script = new URL('https://script.google.com/macros/s/id/exec')
  const done = 'https://script.googleusercontent.com/macros/echo?user_content_key=x'

  it('if it answers 302 or 303 to where it keeps the answer', () => {
    expect(isScriptDone(script, answer(302, done))).toBe(true)
    expect(isScriptDone(script, answer(303, done))).toBe(true)
  })

  it.each([
    ['another status', script, answer(307, done)],
    ['a login', script, answer(302, 'https://accounts.google.com/ServiceLogin')],
    ['a host that looks alike', script, answer(302, done.replace('content.com', 'content.com.a.example'))],
    ['no target', script, answer(302)],
    ['another host', new URL('https://script.google.com.a.example/'), answer(302, done)],
  ])('and not with %s', (_what, url, given) => {
    expect(isScriptDone(url, given)).toBe(false)
  })
})

it('names a target without its query and its password, and no path that may echo a secret', () => {
  const url = new URL('http://a.example/bot')
  const to = answer(302, 'https://you:too@b.example/secret?x=1')
  expect(targetInWords(url, to)).toBe('https://b.example/secret')
  expect(targetInWords(url, to, 'secret')).toBe('https://b.example')
  expect(targetInWords(url, answer(302, 'https://b.example/bot'), 'secret')).toBe('https://b.example/bot')
  const withQuery = new URL('http://me:Pass%20word@a.example/bot?key=t%2Fk')
  for (const path of ['/login/t%2fk', '/x/t/K', '/pass%20word']) {
    expect(targetInWords(withQuery, answer(302, path))).toBe('http://a.example')
  }
  expect(targetInWords(withQuery, answer(302, '/login'))).toBe('http://a.example/login')
  expect(targetInWords(url, answer(200, 'https://b.example/'))).toBeUndefined()
})
