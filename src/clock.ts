/**
 * Whether a moment is still to come, by at most so long. What is further ahead was written under a wrong clock, which has
 * been set back since or is another machine's: it does not count.
 *
 * @param moment in milliseconds since 1970
 */
export const isToCome = (moment: number, maxMs: number): boolean => {
  const leftMs = moment - Date.now()
  return leftMs > 0 && leftMs <= maxMs
}
