import { whyNotJson } from './not-json'

export type JsonObject = Record<string, unknown>

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The usual mistake behind a value that is not a JSON object, as a clause; `undefined` if it is another one. */
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
