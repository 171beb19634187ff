import { whyNotJson } from './not-json'

export type JsonObject = Record<string, unknown>

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Which mistake makes a value something other than a JSON object, as a clause; `undefined` if it is none of the usual ones. */
export const usualMistake = (value: unknown): string | undefined => {
  if (Array.isArray(value) && value.length === 1 && isJsonObject(value[0])) {
    return 'it is an array with one object, send the object itself'
  }
  if (typeof value !== 'string' || !/^\s*[{[]/.test(value)) return undefined
  try {
    JSON.parse(value)
    return 'it was encoded twice, send the object itself'
  } catch {
    return `it is not JSON: ${whyNotJson(value)}`
  }
}
