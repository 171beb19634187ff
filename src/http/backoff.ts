/**
 * The pause before the next try: twice as long each time, and at least as long as the other side has asked for. Up to a
 * fifth is added at random, so that those who failed together do not come back together.
 *
 * @param failedTries 1 or more
 * @param firstMs the first pause
 * @param askedMs what a Retry-After has asked for
 */
export const backoffMs = (failedTries: number, firstMs: number, askedMs = 0): number =>
  Math.max(firstMs * 2 ** (failedTries - 1), askedMs) * (1 + Math.random() / 5)
