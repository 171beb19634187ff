/**
 * Whether a moment is in the future, but not by more than `maxMs`. A later one was dated by a wrong clock, of another machine
 * or of this one before it was set, and does not count.
 *
 * @param moment in milliseconds since 1970
 */
export const isToCome = (moment: number, maxMs: number): boolean => {
  const leftMs = moment - Date.now()
  return leftMs > 0 && leftMs <= maxMs
}
