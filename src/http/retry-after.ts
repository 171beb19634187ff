/**
 * How long a `Retry-After` asks to wait: seconds or a date, after RFC 9110, section 10.2.3.
 *
 * @returns milliseconds from now, 0 for a past date; `undefined` if the header is missing or malformed
 */
export const retryAfterMs = (header: unknown): number | undefined => {
  if (typeof header !== 'string') return undefined
  const ms = /^\d+(\.\d+)?$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - Date.now()
  return Number.isNaN(ms) ? undefined : Math.max(ms, 0)
}
