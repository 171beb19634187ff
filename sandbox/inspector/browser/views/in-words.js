/** @import { Status } from '../model/trace' */

/** @type {Record<Status, string>} */
export const STATUS_WORDS = {
  open: 'under way',
  taken: 'taken',
  waiting: 'waiting',
  delivered: 'delivered',
  retrying: 'retrying',
  perhaps: 'perhaps delivered',
  failed: 'not delivered',
  refused: 'refused',
  'cut off': 'cut off',
}

/** @param {number} ms */
export const duration = (ms) => {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

/** @param {number} at @param {boolean} [isPrecise] */
export const clockTime = (at, isPrecise = false) => {
  const date = new Date(at)
  const time = date.toTimeString().slice(0, 8)
  return isPrecise ? `${time}.${String(date.getMilliseconds()).padStart(3, '0')}` : time
}

/** A long id, cut in the middle: its beginning and its end tell it. @param {string} id @param {number} [length] */
export const cutInTheMiddle = (id, length = 22) => {
  const characters = [...id]
  if (characters.length <= length) return id
  const half = Math.floor((length - 1) / 2)
  return `${characters.slice(0, half).join('')}…${characters.slice(-half).join('')}`
}

/** @param {number} count @param {string} one @param {string} [many] */
export const counted = (count, one, many = `${one}s`) => `${count.toLocaleString('en')} ${count === 1 ? one : many}`
