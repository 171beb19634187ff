/**
 * What newer browsers have: https://github.com/tc39/proposal-json-parse-with-source.
 *
 * @type {JSON & { rawJSON?: (text: string) => object, isRawJSON?: (value: unknown) => boolean }}
 */
const json = JSON

/** A number that JavaScript would write otherwise stays as it was written. @param {string} _key @param {unknown} value @param {{ source?: string }} [context] */
const keepNumber = (_key, value, { source } = {}) =>
  typeof value === 'number' && source !== undefined && json.rawJSON && String(value) !== source
    ? json.rawJSON(source)
    : value

/** Whether it stands for a number as it was written. @param {unknown} value */
export const isRaw = (value) => json.isRawJSON?.(value) ?? false

/** JSON with its numbers as they are written, also those that are too long for JavaScript. @param {string | undefined} text @returns {any} `undefined` where it is no JSON */
export const parsedExactly = (text = '') => {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''), keepNumber)
  } catch {
    return undefined
  }
}
