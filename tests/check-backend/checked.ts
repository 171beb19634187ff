import { LIMITS, type Result } from '../../sandbox/check-backend/check-backend'
import { HEADER, SECRET } from './slipping-backend'

/** For a backend that asks for both. */
export const OPTIONS = { signingSecret: SECRET, endpointHeader: HEADER }

/** Shorter and fewer than for people, where a test has not to do with them. */
export const FAST = { ...LIMITS, answerMs: 5000, atOnce: 3 }

/** The names of the checks that failed. */
export const failedIn = (results: Result[]): string[] =>
  results.filter(({ outcome }) => outcome === 'failed').map(({ check }) => check)

export const resultOf = (results: Result[], check: string): Result => results.find((result) => result.check === check)!
