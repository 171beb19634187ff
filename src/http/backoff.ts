/**
 * The pause before the next try, in milliseconds: twice as long each time, and never shorter than asked for. Up to a fifth is
 * added at random, so that callers that failed together do not retry together.
 *
 * @param failedTries 1 or more
 * @param askedMs by a Retry-After
 */
export const backoffMs = (failedTries: number, firstMs: number, askedMs = 0): number =>
  Math.max(firstMs * 2 ** (failedTries - 1), askedMs) * (1 + Math.random() / 5)
